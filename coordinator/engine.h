// engine: all data of the coordinator's room that more than one file uses. Read
// this page to learn what the loop is made of. The header named after each
// thing says what you can do with it.
//
//   engine ---- store, dispatch, models, workers     (rooms and lists)
//     |
//     +-- flights: every call in flight, by its key
//           |
//         flight ---- order     what is asked, of whom, and who pays
//           |           |
//           |         prefix    the beginning of a prompt, shared
//           |
//           +-- waiter, waiter, ... each is an evaluation that wants the answer
//                                      |
//   running job ---- job_work ---- evaluation: one item of a task in progress
//
// Ownership: a running job owns its job_work and evaluations; the flights own
// flights, orders and waiters. Evaluations of several jobs may wait for one
// flight, so the flight can outlive the job that began it. `work` in its order
// then becomes that of the next waiter (job_work_leave). Only the loop's thread
// ever touches any of this.

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
#include "coordinator/handover.h"
#include "coordinator/job_uses.h"
#include "coordinator/kept_calls.h"
#include "coordinator/models.h"
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

// --- calls in flight ---

// A prompt prefix as it is sent. All flights of a candidate's step share it.
struct prefix {
    struct hash hash; // of the text
    struct hash key;  // of text and format
    char *text;       // owned
    size_t len;
    char *format;   // output format of its calls; owned, may be NULL
    int64_t number; // its group, for dispatch
    int64_t id;     // in the store; 0 until one of its calls is put there
    int references; // held by tasks and flights
    struct call_key_prefix begun; // the common start of its calls' keys
};

// Who an answer is billed to: a model, by its role, or BILL_EXEC for the
// answers of the user's programs.
enum { BILL_EXEC = ROLE_COUNT, BILL_COUNT };

// An ask with its address: all that its answerer, the store and the bill need.
// Its texts are borrowed until flights_open copies them.
struct order {
    struct ask ask;
    struct hash key;       // of everything that determines the answer
    struct job_work *work; // the job that pays
    int bill;
    const char *purpose; // static: "trial", "metric", ...
    const char *step;    // of the program; "" for a metric
    struct sampling sampling;
    int64_t age;   // of the task, for dispatch: older ones go first
    int64_t batch; // for dispatch too: all calls of a batch are awaited
                   // together
    // only for a model
    enum call_kind kind;
    struct prefix *prefix; // each flight holds a reference
    int32_t model;         // its number
    bool logprobs;         // asks for log-probabilities
    struct call_options options;
};

// What an evaluation wants the answer for: its steps, the query of a step that
// searches, the question of a step that picks its demos, its metric, or because
// its item is a text to be embedded.
enum asker { ASKER_STEP, ASKER_SEARCH, ASKER_DEMOS, ASKER_METRIC, ASKER_TEXT };

struct waiter {
    struct evaluation *evaluation;
    enum asker asker;
    int part; // of the asker, as in its ask
    struct waiter *next;
};

struct flight {
    int64_t id;         // for dispatch or the exec pool
    struct order order; // its payload and step point into texts
    int64_t timeout_ms;
    int64_t sends;
    bool hedged;
    struct waiter *waiters; // in order of joining
    struct waiter **last_waiter;
    struct waiter first; // most flights need no more waiters than this one
    bool first_taken;
    // once it has landed
    bool landed;
    struct call_answer answer;
    int64_t call_id;
    uint64_t put;
    int32_t worker; // -1: there is no credit to return
    int64_t lease;
    struct flight *next_landed;
    struct flight *next_left; // used while a running job leaves
    char texts[]; // payload and step of the order, but not a payload that is
                  // kept anyway (ask.kept)
};

struct flights {
    struct map by_key;
    struct map by_id;
    struct map prefixes;
    struct flight *first_landed, *last_landed;
    int64_t last_id;
    int64_t last_prefix;
    size_t n;
    size_t n_embeddings; // how many of them are embeddings
};

// --- what all parts of the loop share ---

// The options of the last recorded call, as the store has them.
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
    struct worker_rows worker_rows; // what the store has of them
    struct kept_calls kept;         // what workers kept from before they joined
    const char *servers;        // those of this process, "URL, URL", or NULL
    bool other_servers;         // some of them are not Ollama
    struct last_words *refusal; // by one of them; borrowed, or NULL
    // How long a job may go without an answer before it pauses: until the first
    // answer since it began, and after that one.
    int64_t wait_start_ms;
    int64_t wait_after_ms;
    int64_t call_timeout_ms; // hard limit of a call
    int64_t busy_ms; // when somebody was last seen working on an answer,
                     // or the disk was last behind, or this process halted
    int64_t gather_until_ms; // until then, only calls that workers kept are
                             // sent (kept_calls.h); 0: no need to wait
    struct background *job_chores;   // read and free jobs; owned
    struct background *read_chores;  // read the store for clients; owned
    struct background *query_chores; // run SQL that clients wrote; owned
    struct turn turn;                // the loop's current turn
    bool behind; // the disk is: begin no new work until it has caught up
    bool local;  // clients are in this process: a job has a folder here
    struct handover handover; // what such a client hands over
    bool read_only;           // jobs keep the state in which they were found
    bool allow_exec;          // also in jobs that are not local
    struct options_text options;
    struct proofs proofs;
    struct side_call *side_calls; // calls that clients make outside of jobs;
                                  // owned
    size_t n_side_calls;
};

// --- a job's work ---

// The model of a role, once it is pinned.
struct job_model_pin {
    bool bound;
    bool met;  // a worker has had it since this process began
    bool past; // an earlier session pinned it
    int32_t number;
    char *digest; // owned
};

// Calls of a job that could not be served.
struct job_parked {
    char text[400]; // names the last one, and the remedy; "": there was none
    int row;        // of the first one; -1: not a row's call
    bool others;    // calls of other rows could not be served either
};

// What evaluations, flights and answerers see of a running job, and the counts
// they keep in it. The rest is private to the running job
// (running_job_state.h).
struct job_work {
    struct engine *engine;
    // read-only
    const char *id;
    int64_t job_no;
    int32_t number;   // for dispatch
    int32_t priority; // for dispatch
    const struct job *job;
    const struct dataset *dataset;
    int64_t *last_calls; // one per row: the last call whose answer the row may
                         // use. It comes from the event that excluded the row;
                         // INT64_MAX if the row is not excluded. NULL if no
                         // row is excluded; owned
    struct job_model_pin models[ROLE_COUNT];
    struct job_programs *programs; // the user's; NULL if there are none
    struct retrieval *retrieval;   // of its documents; NULL if there are none
    struct vectors *vectors;       // of their texts; NULL unless it embeds
    struct prefix *embed_prefix;   // of its embeddings; NULL until needed
    struct nearest *nearest;       // in pools of demos; NULL until needed
    struct question_cache *questions; // of its rows; NULL until needed
    // By the metric's asks of a model; each is NULL until needed.
    struct prefix *metric_prefixes[METRIC_MAX_OUTSIDE];
    bool time_over;   // max_time has been reached: no more calls are made
    bool past_replay; // something was asked that the store does not have: the
                      // replay of earlier sessions is over
    // in progress
    struct evaluation *evaluations;
    size_t active;
    struct err failure; // of an evaluation: the job closes at its next turn
    struct job_parked parked;
    bool awaits_worker; // with another worker the job might continue
    // counts
    int64_t paid[BILL_COUNT]; // answers committed by this process
    int64_t prompt_tokens, generated_tokens; // of these answers
    int64_t faults;                          // that came back instead of one
    struct job_uses uses;                    // of answers, by all items
    int64_t paid_before; // answers that earlier processes committed
    int64_t prompt_before, generated_before; // tokens of these
    int64_t exec_before; // how many of these came from the user's programs
    int64_t hedges;
    int64_t answered_ms; // when the last answer came; -1: none in this process
};

// Returns the last call whose answer an item of that row may use: INT64_MAX
// unless the row is excluded. Also INT64_MAX for an item without a row (-1).
static inline int64_t job_work_last_call(const struct job_work *work, int row)
{
    return row < 0 || work->last_calls == NULL ? INT64_MAX
                                               : work->last_calls[row];
}

#endif
