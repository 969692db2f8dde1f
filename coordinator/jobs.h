// jobs: the jobs of a coordinator, from the request to begin one to its end.
//
//   submit, resume, left by an earlier coordinator, paused and due again
//        | openings: read, checked and looked up off the loop (opening.h)
//        v
//     running ---> ended: its clients have the result, and it is freed
//        ^           |
//        '-- paused -'  no worker, or the disk cannot be read: the coordinator
//                       resumes it later (paused_jobs.h)
//
// A client that submits a job that is already running joins it. After
// jobs_drain no job begins any more; the running ones are stopped, or are left
// in the store for the next coordinator. Call only from the loop's thread.

#ifndef COORDINATOR_JOBS_H
#define COORDINATOR_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"
#include "coordinator/opening.h"
#include "coordinator/running_job.h"
#include "store/job_state.h"
#include "wire/message.h"

struct jobs;

enum { JOBS_MOST = 32 }; // that may run at once

struct jobs_handlers {
    void *user;
    // Tells what became of a job that somebody wanted to begin.
    void (*opened)(void *user, const struct requester *requester,
                   const struct opened *opened);
    // The job has a result. It is freed after this call.
    void (*ended)(void *user, const struct running_job *running);
};

// Copies the handlers. Returns NULL when out of memory.
struct jobs *jobs_new(struct engine *engine,
                      const struct jobs_handlers *handlers, struct err *err);
// No job may be running any more. Accepts NULL.
void jobs_free(struct jobs *jobs);

// --- beginning ---

// See opening.h.
bool jobs_submit(struct jobs *jobs, const struct requester *requester,
                 const struct submit *submit, struct arena *arena,
                 struct err *err);
bool jobs_submit_long(struct jobs *jobs, const struct requester *requester,
                      struct buf *bytes, struct err *err);
bool jobs_resume(struct jobs *jobs, const struct requester *requester,
                 const char *job_id, struct resumption *changes,
                 struct err *err);

// Returns true if a run of the job is in progress and has no end in sight.
bool jobs_is_running(const struct jobs *jobs, const char *job_id);

// Asks the store what an earlier coordinator left. Call once, at the start.
void jobs_survey(struct jobs *jobs);
// Begins jobs that were left, and paused jobs that are due again.
void jobs_take_up(struct jobs *jobs, int64_t now);

// --- running ---

// Returns the newest running job; running_job_next gives the others. NULL: none
// is running.
struct running_job *jobs_first(const struct jobs *jobs);
size_t jobs_count(const struct jobs *jobs);

// Runs one turn of each job: reads what its thread said and what its programs
// answered, begins examples, and ends the job when it is over.
void jobs_work(struct jobs *jobs, int64_t now);

// Takes an answer to one of their calls (landing_take). If the store cannot
// take it, all jobs end.
void jobs_answered(struct jobs *jobs, struct flight *flight, const char *by,
                   const struct call_answer *answer);

// Saves the time that each job has spent, every few seconds.
void jobs_save_time(struct jobs *jobs, int64_t now);

// Returns true if a program of the user, such as a slow metric, still owes an
// answer.
bool jobs_have_busy_programs(const struct jobs *jobs);

// --- the end ---

// How a person ends a job.
struct job_end {
    struct err why;
    enum job_state state; // in which a job that would have been resumed
                          // automatically is left until a person resumes it
};

// Ends a job on behalf of a person: its run, or if there is none, its
// evaluation. It makes no difference whether the job is running, being opened,
// left by an earlier coordinator, or paused. Returns the id of what ends,
// borrowed until the next call, and in *ending the running job, which ends
// later; NULL if none was running. Returns NULL if there is nothing to end, or
// if that is not known yet; err says which.
const char *jobs_end(struct jobs *jobs, const char *job_id,
                     const struct job_end *how,
                     const struct running_job **ending, struct err *err);

// Begins no more jobs. Those that run are stopped if the clients are in this
// process, and otherwise left for the next coordinator to resume.
void jobs_drain(struct jobs *jobs);
bool jobs_are_draining(const struct jobs *jobs);

#endif
