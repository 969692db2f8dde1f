// left jobs: runs that were under way, or paused and to go on by themselves,
// when the coordinator before this one ended, and that this one takes up.
//
//   start ---> surveyed, off the loop ---> to be taken up ---> opened
//                 ^            |                  |
//                 +-- 5 s -----+                  '---> among the paused ones
//        the store could not be read                    (paused_jobs.h)
//
// The survey also removes the folders in which a coordinator that was killed
// ran programs of its users. In one process with its client nothing is taken
// up: a rerun submits the job again. Belongs to the coordinator's loop.

#ifndef COORDINATOR_LEFT_JOBS_H
#define COORDINATOR_LEFT_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/engine.h"
#include "coordinator/running_job.h"

struct left_job;

struct left_jobs {
    struct engine *engine;  // borrowed
    struct left_job *first; // owned: to be taken up, in the order of the store
    int64_t again_ms;       // when the store is asked again; 0: never
    bool asking;            // the store is being asked
};

struct left_view {
    int64_t job_no;
    const char *id;     // until left_jobs_took
    enum awaits awaits; // of one that had paused; AWAITS_NOTHING: it ran
};

// Begins to find out what there is.
void left_jobs_survey(struct left_jobs *left);

// The same again, where it failed and is due.
void left_jobs_tick(struct left_jobs *left, int64_t now);

// The next run to be taken up. False: there is none. Runs whose submission is
// not whole in the store are left out, and marked as stopped.
bool left_jobs_next(struct left_jobs *left, struct left_view *out);

// The caller has seen to the one that left_jobs_next gave.
void left_jobs_took(struct left_jobs *left);

// Whether the store has said what there is.
bool left_jobs_known(const struct left_jobs *left);

// A person ended the job before it was taken up. Returns its number; 0: it is
// not here.
int64_t left_jobs_forget(struct left_jobs *left, const char *id);

void left_jobs_release(struct left_jobs *left);

#endif
