// running job: a job inside the coordinator's loop.
//
// The other half of a session: it takes the session's tasks over a PAIR
// socket, turns their items into evaluations, keeps the job's history, and
// gives finished tasks back once they are durable. It also decides when a job
// cannot go on: no server, no model, a parked call, a stop.
//
//   OPEN ---NOTE_ENDED---> ENDED          tasks are run
//    |  ^                                 (none are left when it has ENDED)
//    v  |
//   CLOSING: stopped, paused or failed; every task, present or to come, is
//            given back with the reason; leaves by NOTE_ENDED too
//
//   ENDED --> SUMMING --> SUMMED --> STORED     running_job_settle, by itself:
//                                               costs, result, disk
//
// Lifetime. It is made off the loop (opening.h), belongs to the loop from
// running_job_begin to running_job_discard, and is freed in the background.
// Three others point into it while it lives: its session, which ends with
// NOTE_ENDED and is joined before anything is freed; flights, whose order.work
// is its job_work until job_work_leave hands them to another job; and clients
// that watch it, who are told its result first. Its parts stand in
// running_job_state.h, for its own files alone:
//
//   running_job_open.c      from a submission to a job that may begin, and free
//   running_job.c           its tasks and notes, turn by turn
//   running_job_wait.c      the models that it needs, and how long it waits
//   running_job_progress.c  how far it is, and what people are told of it
//   running_job_result.c    what it leaves: costs, document, state
//   running_job_examples.c  its rows, for those who read the store
//
// Belongs to the coordinator's loop.

#ifndef COORDINATOR_RUNNING_JOB_H
#define COORDINATOR_RUNNING_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "coordinator/engine.h"
#include "program/job/bundle.h"
#include "wire/message.h"
#include "wire/request.h"

struct running_job;

// --- beginning (opening.h) ---

// Reads the job and its data. For any thread. Takes request and bundle in any
// case. NULL: diags has errors, or err is set.
struct running_job *running_job_open(struct engine *engine,
                                     struct request *request,
                                     struct bundle *bundle, struct diags *diags,
                                     struct err *err);

const char *running_job_id(const struct running_job *running);

// Its number for dispatch, and the number that its history gets if it is new.
// On the loop, before it is looked up.
void running_job_number(struct running_job *running, int32_t number);
void running_job_reserve(struct running_job *running);

// Whether both have one history: of a run, or of evaluations.
bool running_job_same_history(const struct running_job *one,
                              const struct running_job *other);

// Reads what the store knows of it, and drafts what is to be put. For the
// thread that reader belongs to.
bool running_job_look_up(struct running_job *running, struct store *reader,
                         struct err *err);

// Puts that and starts its thread. On failure it is still to be discarded.
bool running_job_begin(struct running_job *running, int64_t now,
                       struct err *err);

// Takes it out of the loop, and frees it in the background: its session is
// joined, its programs are ended, its rows freed. NULL is fine.
void running_job_discard(struct running_job *running);

// Whatever the session sent.
void running_job_read_notes(struct running_job *running);

// Starts evaluations while there is room, gives durable tasks back, looks at
// the clock.
void running_job_work(struct running_job *running, int64_t now);

// What is different since the last job of that name, in a sentence for people;
// "" where there was none, or nothing is.
const char *running_job_changes(const struct running_job *running);

// What was asked of a job that runs already and does not hold for it, in
// sentences for people; or "".
void running_job_tell_unheard(const struct running_job *running,
                              const struct running_job *asked, char *out,
                              size_t size);

// Ends the job early; code says how: ERR_STOPPED, ERR_FAULT, or a failure. The
// first reason counts.
void running_job_close(struct running_job *running, const struct err *why);

// The same for a person; it will not go on by itself, whichever worker joins.
// False, with the reason, when it ends already in another way, which stays.
bool running_job_end(struct running_job *running, const struct err *why,
                     struct err *err);

// What it may have of the cluster from now on, kept for later sessions too; 0:
// as it is.
struct job_share {
    int32_t priority;
    int32_t max_workers;
};
bool running_job_share(struct running_job *running,
                       const struct job_share *share, struct err *err);

// Its coordinator ends: closes it, and remembers that the next one is to take
// it up.
void running_job_interrupt(struct running_job *running, const struct err *why);

// --- for the loop ---

// What evaluations, flights and answerers see of it.
struct job_work *running_job_work_of(struct running_job *running);
bool running_job_is_run(const struct running_job *running); // else an eval
// Whether id names it. With run true it is the run of that id; else an
// evaluation of its job, which the history knows as "ID-eval", or
// "ID-DATA-eval" for rows of --data.
bool running_job_goes_by(const struct running_job *running, const char *id,
                         bool run);
void *running_job_pair(const struct running_job *running); // to be polled
bool running_job_has_ended(const struct running_job *running);
bool running_job_is_open(const struct running_job *running); // no end in sight

// Fills what progress can say now; texts are borrowed.
void running_job_progress(const struct running_job *running, int64_t now,
                          struct progress *out);

// Notes the time spent so far.
void running_job_save_time(struct running_job *running, int64_t now);

// What its clients hear at the end.
struct running_job_result {
    int64_t status;
    char *document; // JSON; owned
    char *compiled; // the compiled file's bytes; owned, or NULL
};

// Takes the job one step from the end of its session towards its result. Never
// blocks. True when the result is on disk, or never will be: then its clients
// have to be told, and the job discarded.
bool running_job_settle(struct running_job *running, int64_t now);

// What has to change before a job that has paused can go on by itself: a worker
// that answers, or a disk that can be read. AWAITS_NOTHING: it does not go on
// by itself.
enum awaits { AWAITS_NOTHING, AWAITS_WORKER, AWAITS_DISK };
enum awaits running_job_awaits(const struct running_job *running);
const struct running_job_result *
running_job_result(const struct running_job *running);

// --- the jobs of a loop, newest first ---

struct running_job *running_job_next(const struct running_job *running);
void running_jobs_add(struct running_job **jobs, struct running_job *running);
void running_jobs_remove(struct running_job **jobs,
                         struct running_job *running);

#endif
