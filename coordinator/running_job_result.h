// running_job_result: what a finished job leaves: state, document, compiled
// file.

#ifndef COORDINATOR_RUNNING_JOB_RESULT_H
#define COORDINATOR_RUNNING_JOB_RESULT_H

#include "coordinator/running_job.h"

void running_job_result_release(struct running_job_result *result);

// Sums up what it cost: a scan over the calls of the job. For the thread that
// reader (NULL: none could be opened) belongs to.
void running_job_sum(struct running_job *running, struct store *reader);

// Completes the session's ending with what only the loop knows (calls, tokens,
// time), and puts the job's state. The running job has been summed up.
void running_job_finish(struct running_job *running, int64_t now,
                        struct running_job_result *out);

// Notes the time spent so far. Only time in which something was paid counts:
// replaying a finished job leaves it as it was.
void running_job_save_time(struct running_job *running, int64_t now);

#endif
