// running_job_excluded: the rows that a job leaves out because a person said so
// (`resume --exclude`).
//
// What has no score yet gets none. Exclusions are stored as events, so that
// every later replay does the same. Those that a person asks for now are put
// when the job begins, and not before: if it cannot begin, nothing has changed.

#ifndef COORDINATOR_RUNNING_JOB_EXCLUDED_H
#define COORDINATOR_RUNNING_JOB_EXCLUDED_H

#include "coordinator/running_job_state.h"

// Reads what was excluded before. Call off the loop.
bool running_job_read_excluded(struct running_job *running,
                               struct store *reader, struct err *err);

// Puts what running_job_exclude was given. Call on the loop, once the job is
// put and before its session starts.
bool running_job_put_excluded(struct running_job *running, struct err *err);

#endif
