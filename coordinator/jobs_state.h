// jobs_state: the members of the jobs (jobs.h), for the files that implement
// them:
//
//   jobs.c            those that begin and run
//   jobs_continue.c   those that the coordinator continues by itself: left by
//                     an earlier one, or paused for a cause that has passed
//   jobs_end.c        those that a person ends

#ifndef COORDINATOR_JOBS_STATE_H
#define COORDINATOR_JOBS_STATE_H

#include "coordinator/engine.h"
#include "coordinator/jobs.h"
#include "coordinator/left_jobs.h"
#include "coordinator/paused_jobs.h"

struct jobs {
    struct engine *engine; // borrowed
    struct jobs_handlers handlers;
    struct openings openings; // of jobs that have not begun
    struct opening_handlers opening_handlers;
    struct running_job *running; // owned, newest first
    size_t n;
    struct left_jobs left;     // what an earlier coordinator left
    struct paused_jobs paused; // those that will be resumed
    bool draining;
    int64_t save_ms; // when the time spent was last saved
};

// Call when a job has ended. If it paused for lack of a worker or a disk, it is
// continued later. While this coordinator drains, that is left to the next one,
// which finds it in the store.
void jobs_note_end(struct jobs *jobs, const struct running_job *running,
                   int64_t now);

// Call when the coordinator itself wanted to resume a job but could not. job_id
// is NULL if it never became known.
void jobs_note_not_resumed(struct jobs *jobs, int64_t job_no,
                           const char *job_id, const struct err *why);

#endif
