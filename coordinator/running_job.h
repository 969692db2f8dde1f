// running job: a job inside the coordinator's loop.
//
// The counterpart of a session: it receives the session's tasks over a PAIR
// socket, turns their items into evaluations, keeps the job's history, and
// returns finished tasks once they are durable. It also decides when a job
// cannot continue: no server, no model, a parked call, a stop.
//
//   OPEN ---NOTE_ENDED---> ENDED          tasks are run
//    |  ^                                 (none are left when it has ENDED)
//    v  |
//   CLOSING: stopped, paused or failed; every task, present or future, is
//            returned with the reason; NOTE_ENDED ends this state too
//
//   ENDED --> SUMMING --> SUMMED --> STORED     steps of running_job_settle:
//                                               costs, result, disk
//
// Lifetime. A running job is made off the loop (opening.h), belongs to the loop
// from running_job_begin to running_job_discard, and is freed in the
// background. While it lives, three others point into it. Its session ends with
// NOTE_ENDED and is joined before anything is freed. Flights have its job_work
// as their order.work until job_work_leave hands them to another job. Clients
// that watch it get its result first. Only its own files see its parts, in
// running_job_state.h:
//
//   job_spec.c              the submission: the job, its data, its ids
//   running_job_open.c      from a submission to a job that may begin; freeing
//   running_job_past.c      what the store knows of it, before it begins
//   job_examples.c          its rows, for those who read the store
//   running_job.c           its tasks, turn by turn, and how it closes
//   running_job_news.c      what its session says on its way
//   running_job_orders.c    what people ask of it while it runs
//   running_job_history.c   what the history knows of a task
//   running_job_models.c    the models that its roles are bound to
//   running_job_lack.c      which of them no worker serves
//   running_job_wait.c      how long it waits for an answer
//   running_job_progress.c  how far it is, and what people see of that
//   running_job_result.c    what it leaves: costs, document, state
//   running_job_excluded.c  its rows that a person has excluded
//
// Call only from the loop's thread.

#ifndef COORDINATOR_RUNNING_JOB_H
#define COORDINATOR_RUNNING_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "coordinator/awaits.h"
#include "coordinator/engine.h"
#include "program/job/bundle.h"
#include "store/job_state.h"
#include "wire/message.h"
#include "wire/request.h"

struct running_job;

// --- beginning (opening.h) ---

// Reads the job and its data. Call from any thread. Takes request and bundle,
// even on failure. Returns NULL if diags has errors or err is set.
struct running_job *running_job_open(struct engine *engine,
                                     struct request *request,
                                     struct bundle *bundle, struct diags *diags,
                                     struct err *err);

const char *running_job_id(const struct running_job *running);

// Leaves these rows out from the moment the job begins: what has no score yet
// gets none. Takes them; call it once.
void running_job_exclude(struct running_job *running, int32_t *rows, size_t n);

// Set its number for dispatch, and take the number that its history gets if it
// is new. Call on the loop, before the look-up.
void running_job_set_number(struct running_job *running, int32_t number);
void running_job_reserve_number(struct running_job *running);

// Returns true if both have the same history: of a run, or of evaluations.
bool running_job_same_history(const struct running_job *one,
                              const struct running_job *other);

// Reads what the store knows of the job, and drafts what has to be put. Call
// from the thread that owns reader.
bool running_job_look_up(struct running_job *running, struct store *reader,
                         struct err *err);

// Puts the draft and the rows to exclude, and starts the job's thread. If it
// fails, discard the job.
bool running_job_begin(struct running_job *running, int64_t now,
                       struct err *err);

// Removes the job from the loop and frees it in the background: joins its
// session, ends its programs, frees its rows. Accepts NULL.
void running_job_discard(struct running_job *running);

// Reads all notes that the session has sent.
void running_job_read_notes(struct running_job *running);

// Starts evaluations while there is room, returns durable tasks, and checks the
// clock.
void running_job_work(struct running_job *running, int64_t now);

// Returns what differs from the last job of that name, as a sentence for
// people; "" if there was no such job, or nothing differs.
const char *running_job_changes(const struct running_job *running);

// Writes, in sentences for people, what was asked for and does not apply
// because the job is already running; "" if there is nothing.
void running_job_tell_ignored(const struct running_job *running,
                              const struct running_job *asked, char *out,
                              size_t size);

// Ends the job early; code says how: ERR_STOPPED, ERR_FAULT, or a failure. The
// first reason counts.
void running_job_close(struct running_job *running, const struct err *why);

// The same on behalf of a person; no worker that joins resumes the job. Returns
// false, with the reason, if the job is already ending in another way, which
// stays.
bool running_job_end(struct running_job *running, const struct err *why,
                     struct err *err);

// What the job may have of the cluster from now on. Later sessions keep it. 0
// leaves a value unchanged.
struct job_share {
    int32_t priority;
    int32_t max_workers;
};
bool running_job_set_share(struct running_job *running,
                           const struct job_share *share, struct err *err);

// Call when the coordinator ends: closes the job. A run is left for the next
// coordinator to resume.
void running_job_interrupt(struct running_job *running, const struct err *why);

// --- for the loop ---

// Returns what evaluations, flights and answerers see of the job.
struct job_work *running_job_work_of(struct running_job *running);
bool running_job_is_run(const struct running_job *running); // or an eval
// Returns true if the job is of that action and id names it. The history knows
// an evaluation of job ID as "ID-eval", or "ID-DATA-eval" for rows of --data;
// it goes by ID too.
bool running_job_goes_by(const struct running_job *running, const char *id,
                         enum request_action action);
void *running_job_pair(const struct running_job *running); // for polling
bool running_job_has_ended(const struct running_job *running);
bool running_job_is_open(const struct running_job *running); // no end in sight

// Fills in the current progress; texts are borrowed.
void running_job_progress(const struct running_job *running, int64_t now,
                          struct progress *out);

// Saves the time spent so far.
void running_job_save_time(struct running_job *running, int64_t now);

// What clients get at the end.
struct running_job_result {
    enum job_state state; // as the store has it
    int64_t status;
    char *document; // JSON; owned
    char *compiled; // the compiled file's bytes; owned, or NULL
};

// Takes the job one step from the end of its session towards its result. Never
// blocks. Returns true once the result is on disk, or never will be: then tell
// its clients and discard the job.
bool running_job_settle(struct running_job *running, int64_t now);

const struct running_job_result *
running_job_result(const struct running_job *running);

// Returns what the job awaits now that it has ended; AWAITS_NOTHING unless it
// is a run that paused. It is on disk together with the state.
enum awaits running_job_awaits(const struct running_job *running);

// --- the jobs of a loop, newest first ---

struct running_job *running_job_next(const struct running_job *running);
// Returns the first of a list, begun at `first`, that goes by that id; NULL if
// there is none.
struct running_job *running_job_find(struct running_job *first, const char *id,
                                     enum request_action action);
void running_jobs_add(struct running_job **jobs, struct running_job *running);
void running_jobs_remove(struct running_job **jobs,
                         struct running_job *running);

#endif
