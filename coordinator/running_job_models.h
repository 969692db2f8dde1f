// running_job_models: which model each role of a running job is bound to.
//
// A model is pinned by its digest when the job first uses it, and stays for all
// later sessions of the job. Its number, for dispatch, is shared with other
// jobs that use the same model.

#ifndef COORDINATOR_RUNNING_JOB_MODELS_H
#define COORDINATOR_RUNNING_JOB_MODELS_H

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

// Returns true if items of the task may ask the model of that role: the task's
// own, that of a judge that scores them, or the one that embeds their queries.
bool running_job_needs(const struct running_job *running,
                       const struct task *task, enum role role);

#endif
