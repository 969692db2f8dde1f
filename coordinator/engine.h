// engine: the data of the coordinator's room, all of it that several files
// share. Whoever wants to know what the loop is made of reads this page; what
// may be done with each thing stands in the header of its own name.
//
//   engine ---- store, dispatch, models, workers     (rooms and lists)
//     |
//     +-- flights: each call that is on its way, by key
//           |
//         flight ---- order     what is asked, of whom, who pays
//           |           |
//           |         prefix    the beginning of a prompt, shared
//           |
//           +-- waiter, waiter, ... each an evaluation that wants the answer
//                                      |
//   running job ---- job_work ---- evaluation: one item of a task on its way
//
// Whose memory is whose: a running job owns its job_work and evaluations; the
// flights own flights, orders and waiters. A flight may be waited for by
// evaluations of several jobs, so it outlives the one that began it: `work` in
// its order is then the next waiter's (flights_leave). Nothing here is ever
// touched by another thread than the loop's.

#ifndef COORDINATOR_ENGINE_H
#define COORDINATOR_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "common/err.h"
#include "common/hash.h"
#include "common/map.h"
#include "coordinator/call_key.h"
#include "coordinator/job_uses.h"
#include "coordinator/kept_calls.h"
#include "coordinator/models.h"
#include "coordinator/parcel.h"
#include "coordinator/proof.h"
#include "coordinator/turn.h"
#include "coordinator/worker_rows.h"
#include "coordinator/workers.h"
#include "dispatch/dispatch.h"
#include "program/graph/ask.h"
#include "program/job/dataset.h"
#include "program/job/job.h"
#include "search/session/task.h"
#include "store/store.h"

struct background;   // background.c
struct evaluation;   // evaluation_state.h
struct side_call;    // side_call.c
struct job_programs; // answerers/exec.c

// --- calls on their way ---

// A prompt prefix as it is sent, shared by all flights of a candidate's step.
struct prefix {
    struct hash hash; // of the text
    struct hash key;  // of text and format
    char *text;       // owned
    size_t len;
    char *format;   // output format of its calls; owned, may be NULL
    int64_t number; // its group, for dispatch
    int64_t id;     // in the store; 0 until a call of it is put
    int references; // tasks and flights
    struct call_key_prefix begun; // the keys of its calls
};

// Under what an answer is billed: the role of a model, or the last for what a
// program of the user answered.
enum { BILL_EXEC = ROLE_COUNT, BILL_COUNT };

// An ask with its address: all that its answerer, the store and the bill need.
// Until flights_open copies it, its texts are borrowed.
struct order {
    struct ask ask;
    struct hash key;       // of everything that determines the answer
    struct job_work *work; // the job that pays
    int bill;
    const char *purpose; // static: "trial", "metric", ...
    const char *step;    // of the program; "" for a metric
    struct sampling sampling;
    int64_t age;   // of the task, for dispatch: older ones go first
    int64_t batch; // likewise: those of one are waited for together
    // a model's
    enum call_kind kind;
    struct prefix *prefix; // a flight holds a reference
    int32_t model;         // its number
    bool logprobs;         // are asked for
    struct call_options options;
};

// Who wants the answer: an evaluation, for its steps, for the query of a step
// that searches, for the question of one that picks its demos, for its metric,
// or because its item is a text to be embedded.
enum asker { ASKER_STEP, ASKER_SEARCH, ASKER_DEMOS, ASKER_METRIC, ASKER_TEXT };

struct waiter {
    struct evaluation *evaluation;
    enum asker asker;
    int part; // of the asker, as in its ask
    struct waiter *next;
};

struct flight {
    int64_t id;         // for dispatch, or for the exec pool
    struct order order; // payload and step are in texts
    int64_t timeout_ms;
    int64_t sends;
    bool hedged;
    struct waiter *waiters; // in order of joining
    struct waiter **last_waiter;
    struct waiter first; // room for one, which is enough for most
    bool first_taken;
    // once landed
    bool landed;
    struct call_answer answer;
    int64_t call_id;
    uint64_t put;
    int32_t worker; // -1: no credit to give back
    int64_t lease;
    struct flight *next_landed;
    struct flight *next_left; // while a running job leaves
    char texts[];             // payload and step of the order, but for the
                              // payload of one that is kept (ask.kept)
};

struct flights {
    struct map by_key;
    struct map by_id;
    struct map prefixes;
    struct flight *first_landed, *last_landed;
    int64_t last_id;
    int64_t last_prefix;
    size_t n;
    size_t n_embeddings; // of them
};

// --- what all parts of the loop share ---

// The options of the call that was recorded last, as the store has them.
struct options_text {
    struct call_options options;
    char text[256]; // "" before the first
};

struct engine {
    void *zmq;
    struct store *store;
    struct dispatch *dispatch;
    struct models models;
    struct flights flights;
    struct workers workers;
    struct worker_rows worker_rows; // of them, in the store
    struct kept_calls kept;         // by workers, from before they joined
    const char *servers;            // of this process, "URL, URL", or NULL
    bool other_servers;             // some of them are no Ollama
    struct last_words *refusal;     // of one of them; borrowed, or NULL
    int64_t wait_start_ms;   // until a job that nobody ever answered is paused
    int64_t wait_after_ms;   // the same after an answer
    int64_t call_timeout_ms; // hard limit of a call
    int64_t busy_ms;         // when a worker was last seen at work on a call
    int64_t gather_until_ms; // only what workers kept is sent before
                             // (kept_calls.h); 0: there is nothing to wait for
    struct background *job_chores;   // reading and freeing jobs; owned
    struct background *read_chores;  // reading the store for clients; owned
    struct background *query_chores; // running SQL that clients wrote; owned
    struct turn turn;                // of the loop, the one under way
    bool behind; // the disk is: take on no new work until it has caught up
    bool local;  // clients are in this process: a job has a folder here
    struct parcel parcel; // what such a client hands over
    bool looks;           // jobs keep the state in which they are found
    bool allow_exec;      // in jobs that are not local
    struct options_text options;
    struct proofs proofs;
    struct side_call *side_calls; // calls of clients beside all jobs; owned
    size_t n_side_calls;
};

// --- a job's work ---

// A role's model, once it is pinned.
struct job_model_pin {
    bool bound;
    bool met;  // a worker had it since this process began
    bool past; // it was pinned by an earlier session
    int32_t number;
    char *digest; // owned
};

// What evaluations, flights and answerers see of a running job, and count in
// it. The rest of a running job is its own (running_job_state.h).
struct job_work {
    struct engine *engine;
    // read-only
    const char *id;
    int64_t job_no;
    int32_t number;   // for dispatch
    int32_t priority; // the same
    const struct job *job;
    const struct dataset *dataset;
    int64_t *last_calls; // one a row: the last call whose answer it may use,
                         // from the event that excluded it; INT64_MAX for a
                         // row that is not excluded. NULL: none is; owned
    struct job_model_pin models[ROLE_COUNT];
    struct job_programs *programs;    // of the user; NULL without any
    struct retrieval *retrieval;      // of its documents; NULL without any
    struct vectors *vectors;          // of their texts; NULL unless it embeds
    struct prefix *embed_prefix;      // of its embeddings; NULL until needed
    struct nearest *nearest;          // of pools of demos; NULL until needed
    struct question_cache *questions; // of its rows; NULL until needed
    // Of the metric's asks of a model, by the ask; NULL until needed.
    struct prefix *metric_prefixes[METRIC_MAX_OUTSIDE];
    bool time_over; // max_time is reached: no further call is made
    bool asks_anew; // something was asked that the store does not know: what is
                    // replayed of earlier sessions is behind it
    // under way
    struct evaluation *evaluations;
    size_t active;
    struct err failure; // of an evaluation: the job closes at its next turn
    char parked[400];   // which call could not be served; "" none
    int parked_row;     // of the first such call; -1: it is no row's
    bool parked_others; // calls of other rows could not be served either
    bool awaits_worker; // another one might have answered what ends the job
    // counts
    int64_t paid[BILL_COUNT]; // answers committed by this process
    int64_t prompt_tokens, generated_tokens;
    struct job_uses uses; // of answers, by all items
    int64_t paid_before;  // answers committed by earlier processes
    int64_t exec_before;  // of these by programs of the user
    int64_t hedges;
    int64_t answered_ms; // last answer; -1: none in this process
};

// The last call whose answer an item of that row may use: INT64_MAX unless the
// row is excluded, and for what is no row (-1).
static inline int64_t job_work_last_call(const struct job_work *work, int row)
{
    return row < 0 || work->last_calls == NULL ? INT64_MAX
                                               : work->last_calls[row];
}

#endif
