// running_job_wait: waits until the models of a job are available, and until
// any worker answers.

#ifndef COORDINATOR_RUNNING_JOB_WAIT_H
#define COORDINATOR_RUNNING_JOB_WAIT_H

#include "coordinator/running_job_state.h"

// Binds the roles whose models earlier processes pinned, so that a replay that
// asks nobody knows them too.
bool running_job_bind_pinned(struct running_job *running, struct err *err);

// Gives up the models, at the end of the job.
void running_job_unbind(struct running_job *running);

// Pins the role's model: the one that most workers have under its name. Returns
// false while there is none (running_job_watch decides for how long), and false
// with err set if there can never be one.
bool running_job_bind(struct running_job *running, enum role role,
                      struct err *err);

// Returns false if the job cannot do its work, and err says why: nobody has
// answered for too long, no worker has the model, or the model's digest is not
// the pinned one.
bool running_job_watch(struct running_job *running, int64_t now,
                       struct err *err);

// Returns true if the time that passes should not count as time of the job:
// there is nobody to ask, and none of its calls was answered. If a time budget
// ends meanwhile, it does not count as used up; the job pauses for lack of an
// answer (running_job_watch).
bool running_job_is_alone(const struct running_job *running);

// Returns true if items of the task may ask the model of that role: the task's
// own, that of a judge that scores them, or the one that embeds their queries.
bool running_job_needs(const struct running_job *running,
                       const struct task *task, enum role role);

#endif
