// running_job_result: what a finished job leaves: state, document, compiled
// file.

#ifndef COORDINATOR_RUNNING_JOB_RESULT_H
#define COORDINATOR_RUNNING_JOB_RESULT_H

#include "coordinator/running_job_state.h"

void running_job_result_release(struct running_job_result *result);

// Sums up what it cost: a scan over the calls of the job. For the thread that
// reader (NULL: none could be opened) belongs to.
void running_job_sum(struct running_job *running, struct store *reader);

#endif
