// running_job_wait: how long a job waits until any worker answers.

#ifndef COORDINATOR_RUNNING_JOB_WAIT_H
#define COORDINATOR_RUNNING_JOB_WAIT_H

#include "coordinator/running_job_state.h"

// Returns false if the job cannot do its work, and err says why: it lacks a
// model (running_job_lack.h), or nobody has answered for too long.
bool running_job_watch(struct running_job *running, int64_t now,
                       struct err *err);

// Returns true if the time that passes should not count as time of the job:
// there is nobody to ask, and none of its calls was answered. If a time budget
// ends meanwhile, it does not count as used up; the job pauses for lack of an
// answer (running_job_watch).
bool running_job_is_alone(const struct running_job *running);

#endif
