// running_job_progress: how far a job is, and what people are told of it.
//
// The loop tells it three things: what the session expects, each task that is
// over, and that another turn has begun. running_job_progress (running_job.h)
// says the rest.

#ifndef COORDINATOR_RUNNING_JOB_PROGRESS_H
#define COORDINATOR_RUNNING_JOB_PROGRESS_H

#include "coordinator/running_job_state.h"

// A NOTE_EXPECT: trials and examples that there will be in all.
void running_job_expect(struct running_job *running, const struct note *note);

// A task that is over: its examples that were run anew count from now on.
void running_job_count(struct running_job *running, const struct task *task);

// Once in every turn of the loop, while the job is open.
void running_job_follow(struct running_job *running, int64_t now);

#endif
