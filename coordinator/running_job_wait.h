// running_job_wait: what a job waits for: models to be there, and anybody to
// answer.

#ifndef COORDINATOR_RUNNING_JOB_WAIT_H
#define COORDINATOR_RUNNING_JOB_WAIT_H

#include "coordinator/running_job_state.h"

// Binds the roles whose models earlier processes pinned, so that a replay
// that asks nobody still knows them.
bool running_job_bind_pinned(struct running_job *running, struct err *err);

// Gives the models up, at the end of the job.
void running_job_unbind(struct running_job *running);

// Pins the role's model: the one that most workers have under its name.
// False while there is none (running_job_watch decides how long), and with err
// set when it can never be.
bool running_job_bind(struct running_job *running, enum role role,
                      struct err *err);

// False when the work of the job cannot be done, and err says why: nobody
// answered for too long, no worker has the model, the model has another digest
// than the pinned one.
bool running_job_watch(struct running_job *running, int64_t now,
                       struct err *err);

// Whether the time that passes is no time of the job: nobody is there to ask,
// and none of its calls was answered. A budget of time that ends meanwhile is
// not used up; the job pauses as for want of an answer (running_job_watch).
bool running_job_is_alone(const struct running_job *running);

// Whether items of the task may ask the model of that role: the task's own, a
// judge's that scores them, or the one that embeds their queries.
bool running_job_needs(const struct running_job *running,
                       const struct task *task, enum role role);

#endif
