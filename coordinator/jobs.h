// jobs: the jobs of a coordinator, from the wish to begin one to its end.
//
//   submit, resume, left by an earlier coordinator, paused and due again
//        | openings: read, checked and looked up off the loop (opening.h)
//        v
//     running ---> ended: told to its clients, and gone
//        ^           |
//        '-- paused -'  there is no worker, or the disk cannot be read: it goes
//                       on by itself (paused_jobs.h)
//
// A client that submits a job which runs already joins it. After jobs_drain no
// job begins any more; those that run are stopped, or wait in the store for the
// next coordinator. Belongs to the coordinator's loop.

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

enum { JOBS_MOST = 32 }; // that run at once

struct jobs_handlers {
    void *user;
    // What became of a job that somebody wanted to begin.
    void (*opened)(void *user, const struct requester *requester,
                   const struct opened *opened);
    // It has a result, and is freed after this.
    void (*ended)(void *user, const struct running_job *running);
};

// The handlers are copied. NULL without memory.
struct jobs *jobs_new(struct engine *engine,
                      const struct jobs_handlers *handlers, struct err *err);
// Nothing may run any more. NULL is fine.
void jobs_free(struct jobs *jobs);

// --- beginning ---

// As in opening.h.
bool jobs_submit(struct jobs *jobs, const struct requester *requester,
                 const struct submit *submit, struct arena *arena,
                 struct err *err);
bool jobs_submit_long(struct jobs *jobs, const struct requester *requester,
                      struct buf *bytes, struct err *err);
bool jobs_resume(struct jobs *jobs, const struct requester *requester,
                 const char *job_id, const struct job_share *share,
                 struct err *err);

// Whether there is a run of the job with no end in sight; and whether there is
// one, or one on its way in.
bool jobs_runs(const struct jobs *jobs, const char *job_id);
bool jobs_begins_or_runs(const struct jobs *jobs, const char *job_id);

// Asks the store what an earlier coordinator left. Once, at the start.
void jobs_survey(struct jobs *jobs);
// Begins what was left, and what paused and is due again.
void jobs_take_up(struct jobs *jobs, int64_t now);

// --- running ---

// The newest; the others follow by running_job_next. NULL: none runs.
struct running_job *jobs_first(const struct jobs *jobs);
size_t jobs_count(const struct jobs *jobs);

// One turn of each job: reads what its thread said and what its programs
// answered, begins examples, and ends the job when it is over.
void jobs_work(struct jobs *jobs, int64_t now);

// An answer came to one of their calls (landing_take). A store that cannot take
// it ends all jobs.
void jobs_answered(struct jobs *jobs, struct flight *flight, const char *by,
                   const struct call_answer *answer);

// Notes the time that each has spent, every few seconds.
void jobs_save_time(struct jobs *jobs, int64_t now);

// Whether a program of the user, such as a slow metric, owes an answer.
bool jobs_have_programs_at_work(const struct jobs *jobs);

// --- the end ---

// Ends the run of the job for a person, who gives the reason, or where there is
// none its evaluation; whatever would begin by itself waits for a person from
// now on, in that state. It makes no difference how far it is: at work, on its
// way in, left by an earlier coordinator, or paused. Returns the id of what
// ends, borrowed until the next call. NULL: nothing is to be ended, or it
// cannot be known yet, as err says.
const char *jobs_end(struct jobs *jobs, const char *job_id,
                     const struct err *why, enum job_state state,
                     struct err *err);

void jobs_drain(struct jobs *jobs);
bool jobs_are_draining(const struct jobs *jobs);

#endif
