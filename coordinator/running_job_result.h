// running_job_result: what a finished job leaves: state, document, compiled
// file.

#ifndef COORDINATOR_RUNNING_JOB_RESULT_H
#define COORDINATOR_RUNNING_JOB_RESULT_H

#include "coordinator/running_job.h"

struct running_job_result {
    int64_t status; // exit status (docs/command-line.md)
    char *document; // JSON; owned
    char *compiled; // owned, or NULL
};

void running_job_result_release(struct running_job_result *result);

// Completes the session's ending with what only the loop knows (calls, tokens,
// time), and stores the job's state. The running job has ended.
void running_job_finish(struct running_job *running, int64_t now,
                        struct running_job_result *out);

// Notes the time spent so far. Only time in which something was paid counts:
// replaying a finished job leaves it as it was.
void running_job_save_time(struct running_job *running, int64_t now);

#endif
