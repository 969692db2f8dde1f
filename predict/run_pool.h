// run_pool: runs a compiled program on many inputs at the same time.
//
// Inputs go in with a tag of the caller's choice, and results come out as they
// end, in any order. A run is one input on its way through the steps:
//
//   run_pool_begin --> ACTIVE --(last answer, or a failure)--> ENDED
//                                                                |
//                      FREE <------------ run_pool_take ---------+
//
// At most `slots` calls are open at the model server, and the oldest runs go
// first. If the program searches by embeddings, those of its documents are made
// first (corpus.h): from the first turn on, or when a run needs them again. A
// reply that cannot be read is asked for once more (stepper.h). After a fault
// of the server, the call is retried a few times, with back-off; then that run
// ends, and no other. Whether to continue with the rest is the caller's
// decision.
//
// A pool has one owner, which calls run_pool_turn again and again. Other
// threads reach it through model_wake of the client.

#ifndef PREDICT_RUN_POOL_H
#define PREDICT_RUN_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "model/model.h"
#include "program/run/compiled.h"

struct run_pool;

struct run_pool_options {
    const struct compiled *compiled; // borrowed until the pool is freed
    struct model_client *client;     // borrowed too
    int slots;                       // calls open at the same time; at least 1
    size_t places;                   // runs at the same time; at least 1
    int64_t timeout_ms;              // for each call
    // How long to keep asking a server that answers nothing at all, beyond the
    // few tries that any call has; 0: no longer.
    int64_t patience_ms;
    // Allows programs of exec steps, in the compiled file's folder, to be run.
    // If false, a file that names one is rejected.
    bool allow_exec;
};

// How a run ended. Only the first has outputs; the others have a message.
enum run_end {
    RUN_END_OUTPUTS,
    RUN_END_INPUT,   // the inputs do not fit the program, or the context
    RUN_END_MODEL,   // a model gave no readable answer
    RUN_END_PROGRAM, // a user's program gave no answer
    RUN_END_SERVER,  // the server could not be asked
};
enum { RUN_END_COUNT = RUN_END_SERVER + 1 };

struct run_result {
    uint64_t tag;
    enum run_end end;
    json_t *outputs; // all outputs by name; the receiver owns the reference
    int repairs;     // how many replies were unreadable and asked for again
    enum call_fault fault; // RUN_END_SERVER: the server's last, or FAULT_NONE
    struct err err;
};

// Creates a pool without runs. Returns NULL on failure: out of memory, or a
// program or a document of the file that is not allowed or not there.
struct run_pool *run_pool_new(const struct run_pool_options *options,
                              struct err *err);

// Frees the pool and drops what is in progress. Accepts NULL.
void run_pool_free(struct run_pool *pool);

// Returns true if a run may begin.
bool run_pool_has_room(const struct run_pool *pool);
size_t run_pool_size(const struct run_pool *pool); // begun and not taken

// Returns true if turns have work to do even without any run, because documents
// are being embedded.
bool run_pool_is_loading(const struct run_pool *pool);

// If recent calls all failed and are being retried for as long as the pool has
// patience, returns the server's message; otherwise NULL.
const char *run_pool_outage(const struct run_pool *pool);

// Begins a run on inputs by name and takes the reference. A name that is not an
// input ends the run immediately. There must be room.
void run_pool_begin(struct run_pool *pool, uint64_t tag, json_t *values);

// Sends what may be sent and waits for answers: at most wait_ms, and not at all
// if a run has ended. Returns false if the pool cannot continue at all (out of
// memory).
bool run_pool_turn(struct run_pool *pool, int64_t wait_ms, struct err *err);

// Takes the result of the next run that has ended, and frees its place. Returns
// false if there is none.
bool run_pool_take(struct run_pool *pool, struct run_result *out);

// Abandons the run that began first, and frees its place. Returns false if
// there is none.
bool run_pool_drop(struct run_pool *pool, uint64_t *tag);

#endif
