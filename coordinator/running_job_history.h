// running_job_history: what the history knows of a running job's task: its
// candidate, its trial, and the evaluations that an earlier run stored.
//
// Only for the files of running_job.h. Call only from the loop's thread.

#ifndef COORDINATOR_RUNNING_JOB_HISTORY_H
#define COORDINATOR_RUNNING_JOB_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "coordinator/running_job.h"
#include "search/session/task.h"

// Puts the candidate of a task whose evaluations are kept, and its trial.
// Returns false if that fails, and with ERR_DIFFERS if a replay proposes
// another trial than the stored one.
bool running_job_admit(struct running_job *running, struct task *task,
                       struct err *err);

// Settles item `at` of the task by its stored evaluation, if there is one that
// it may use. Returns false on failure.
bool running_job_use_stored(struct running_job *running, struct task *task,
                            size_t at, struct err *err);

#endif
