// running_job_progress: how far a job is, and what people see of that.
//
// The loop reports three things here: what the session expects, each task that
// is over, and each turn. running_job_progress (running_job.h) works out the
// rest.

#ifndef COORDINATOR_RUNNING_JOB_PROGRESS_H
#define COORDINATOR_RUNNING_JOB_PROGRESS_H

#include "coordinator/running_job_state.h"

// Takes a NOTE_EXPECT: how many trials and examples there will be in all.
void running_job_expect(struct running_job *running, const struct note *note);

// Counts a task that is over: its examples that were run anew.
void running_job_count(struct running_job *running, const struct task *task);

// Call once per turn of the loop while the job is open.
void running_job_follow(struct running_job *running, int64_t now);

#endif
