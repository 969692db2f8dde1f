// running_job_result: what a finished job leaves: state, document, compiled
// file.

#ifndef COORDINATOR_RUNNING_JOB_RESULT_H
#define COORDINATOR_RUNNING_JOB_RESULT_H

#include "coordinator/running_job_state.h"

void running_job_result_release(struct running_job_result *result);

// Sums up what the job cost, which scans the calls of the job. Call from the
// thread that owns reader (NULL: none could be opened).
void running_job_sum(struct running_job *running, struct store *reader);

#endif
