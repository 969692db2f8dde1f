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
// Belongs to the coordinator's loop.

#ifndef COORDINATOR_RUNNING_JOB_H
#define COORDINATOR_RUNNING_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "coordinator/engine.h"
#include "program/graph/plan.h"
#include "program/job/bundle.h"
#include "program/job/dataset.h"
#include "program/job/job.h"
#include "search/session/note.h"
#include "search/session/session_thread.h"
#include "store/history.h"
#include "wire/message.h"
#include "wire/request.h"

enum { RUNNING_JOB_MAX_ACTIVE = 2048 }; // evaluations under way at once

enum running_job_state {
    RUNNING_JOB_OPEN,
    RUNNING_JOB_CLOSING,
    RUNNING_JOB_ENDED,   // its session is over
    RUNNING_JOB_SUMMING, // its costs are summed up, off the loop
    RUNNING_JOB_SUMMED,
    RUNNING_JOB_STORED, // its result is put, and told when it is durable
};

// What the history knows of a job, from the look-up until it begins.
struct running_job_past {
    int64_t reserved_no;       // the job's number if it is new
    struct job_index *index;   // owned
    struct draft *draft;       // what is to be put; owned
    char *digests[ROLE_COUNT]; // of models pinned before, or ""; owned
};

// What its clients hear at the end.
struct running_job_result {
    int64_t status;
    char *document; // JSON; owned
    char *compiled; // the compiled file's bytes; owned, or NULL
};

struct running_job {
    struct engine *engine;
    struct job_work work; // what its evaluations and flights see of it
    enum running_job_state state;
    struct err closing; // why, when CLOSING
    // the job; read-only once the session has started
    struct request *request; // owned
    struct bundle *bundle;   // owned
    struct job *job;         // owned
    struct dataset *dataset; // owned
    struct split split;
    struct plan plan;
    char *id; // owned
    bool simulated;
    int64_t *last_calls;      // one a row (engine.h); owned
    struct model_facts facts; // of models, for the session
    int32_t workers_seen; // workers up to this number were compared with them
    const struct optimizer *optimizer;
    const void *params; // of the optimizer; in the job's arena
    // the session
    struct session *session; // owned
    void *pair;              // our end
    struct ending *ending;   // owned, when ENDED
    // work
    struct task *tasks, **last_task;        // not finished, oldest first
    struct task *finished, **last_finished; // waiting to be durable
    int64_t task_age;                       // of the newest task
    // for people
    struct progress progress;
    char phase[64], note[240];
    int64_t started_ms, ended_ms, wall_before_ms;
    int64_t waiting_ms; // since when there is work; -1: there is none
    // beginning and end
    bool interrupted; // by the coordinator's end: the next one takes it up
    struct running_job_past past;
    bool begun;                            // its index is the loop's store's
    struct history_cost costs[BILL_COUNT]; // once SUMMED
    struct running_job_result result;      // once STORED; owned
    uint64_t result_put;
    struct running_job *next;
};

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

// Ends the job early; code says how: ERR_STOPPED, ERR_FAULT, or a failure.
void running_job_close(struct running_job *running, const struct err *why);

// --- for the loop ---

// Fills what progress can say now; texts are borrowed.
void running_job_progress(const struct running_job *running, int64_t now,
                          struct progress *out);

#endif
