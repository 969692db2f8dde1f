// running_job_lack: the models of a running job that no worker serves.
//
// Nobody may have the model, or only with another digest than the job's, or
// nobody that has it may be used: too little room, another kind of server, a
// proof that failed (proof.h). Workers come and go, so a job is given some
// seconds before it hears of it, and a job that was fine when it began waits
// for its own workers to come back.

#ifndef COORDINATOR_RUNNING_JOB_LACK_H
#define COORDINATOR_RUNNING_JOB_LACK_H

#include "coordinator/running_job_state.h"

// Returns false if a task needs a model that the job lacks; err says which and
// what to do. It is ERR_FAULT if the job was fine when it began, and otherwise
// ERR_INPUT.
bool running_job_has_models(struct running_job *running, int64_t now,
                            struct err *err);

// Returns true, with ERR_FAULT, if workers are connected, but none of them
// serves a model of the job any more.
bool running_job_lost_models(const struct running_job *running,
                             struct err *err);

// Looks at the workers that have joined since the last call, and tells people
// why one that has another model under the job's name gets no calls, or, in the
// process of `run`, one that has none of the job's models.
void running_job_compare_workers(struct running_job *running);

#endif
