// left jobs: runs that were in progress when the previous coordinator ended, or
// paused until they could be resumed, and that this coordinator takes up.
//
//   start ---> surveyed, off the loop ---> to be taken up ---> opened
//                 ^            |                  |               |
//                 +-- 5 s -----+                  '---> paused <--'
//        the store could not be read                    (paused_jobs.h)
//
// The survey also removes the folders in which a killed coordinator ran the
// programs of its users. If client and coordinator share a process, nothing is
// taken up: a rerun submits the job again. Call only from the loop's thread.

#ifndef COORDINATOR_LEFT_JOBS_H
#define COORDINATOR_LEFT_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/awaits.h"
#include "coordinator/engine.h"

struct left_job;

struct left_jobs {
    struct engine *engine;  // borrowed
    struct left_job *first; // owned: still to be taken up, in the store's order
    int64_t again_ms;       // when to ask the store again; 0: never
    bool asking;            // the store is being asked
};

struct left_view {
    int64_t job_no;
    const char *id;     // valid until left_jobs_taken
    enum awaits awaits; // for a job that was paused; AWAITS_NOTHING: it was
                        // running
};

// Begins to ask the store what is left.
void left_jobs_survey(struct left_jobs *left);

// Repeats a survey that failed, once that is due.
void left_jobs_tick(struct left_jobs *left, int64_t now);

// Gives the next run to take up; returns false if there is none. Runs whose
// submission is incomplete in the store are skipped and marked as stopped.
bool left_jobs_next(struct left_jobs *left, struct left_view *out);

// Call when the run that left_jobs_next gave has been dealt with.
void left_jobs_taken(struct left_jobs *left);

// Returns true once the store has said what is left.
bool left_jobs_are_known(const struct left_jobs *left);

// Forgets a job that a person ended before it was taken up. Returns its number;
// 0 if it is not here.
int64_t left_jobs_forget(struct left_jobs *left, const char *id);

void left_jobs_release(struct left_jobs *left);

#endif
