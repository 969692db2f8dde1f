// run_pool: a compiled program on many inputs at the same time.
//
// Inputs go in with a tag of the caller's, results come out as they end, in
// any order. A run is one input on its way through the steps:
//
//   run_pool_begin --> ACTIVE --(last answer, or no way on)--> ENDED
//                                                                 |
//                    FREE <------------ run_pool_take ------------+
//
// At most `slots` calls are open at the model server, the oldest runs first.
// Where the program searches by embeddings, those of its documents are made
// first (corpus.h): from the first turn on, or when a run needs them again.
// A reply that cannot be read is asked for once more (stepper.h). After a fault
// of the server the call is tried again a few times, with back-off; then that
// run ends, and no other. Whether the rest goes on is the caller's decision.
//
// One owner, who calls run_pool_turn again and again. Others reach it through
// model_wake of the client.

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
    int slots;                       // calls open at the same time; 1 and more
    size_t places;                   // runs at the same time; 1 and more
    int64_t timeout_ms;              // of a call
    // How long a server that answers nothing at all is asked again, beyond the
    // few tries that any call has; 0: no longer.
    int64_t patience_ms;
    // Whether programs of exec steps may be run, in the compiled file's folder;
    // without it a file that names one is refused.
    bool allow_exec;
};

// How a run ended. Only the first has outputs; the others have a sentence.
enum run_end {
    RUN_END_OUTPUTS,
    RUN_END_INPUT,   // the inputs do not fit the program, or the context
    RUN_END_MODEL,   // a model gave no answer that can be read
    RUN_END_PROGRAM, // a program of the user gave none
    RUN_END_SERVER,  // the server could not be asked
};
enum { RUN_END_COUNT = RUN_END_SERVER + 1 };

struct run_result {
    uint64_t tag;
    enum run_end end;
    json_t *outputs; // all outputs by name; a reference of the receiver's
    int repairs;     // replies that could not be read and were asked for again
    enum call_fault fault; // RUN_END_SERVER: the server's last, or FAULT_NONE
    struct err err;
};

struct run_pool *run_pool_new(const struct run_pool_options *options,
                              struct err *err);

// Drops what is under way. NULL is fine.
void run_pool_free(struct run_pool *pool);

bool run_pool_has_room(const struct run_pool *pool);
size_t run_pool_size(const struct run_pool *pool); // begun and not taken

// Whether turns would do something even without any run: documents are being
// embedded.
bool run_pool_is_loading(const struct run_pool *pool);

// Whether nothing came of what was asked lately, and it is asked again for as
// long as the pool has patience; the server's words, or NULL.
const char *run_pool_trouble(const struct run_pool *pool);

// Begins a run on inputs by name (a reference is taken); a name that is no
// input's ends it at once. Needs room.
void run_pool_begin(struct run_pool *pool, uint64_t tag, json_t *values);

// Sends what may be sent, and waits for answers: at most wait_ms, and not at
// all when a run has ended. False when it cannot go on at all (no memory).
bool run_pool_turn(struct run_pool *pool, int64_t wait_ms, struct err *err);

// The next run that has ended, and frees its place. False when there is none.
bool run_pool_take(struct run_pool *pool, struct run_result *out);

// Gives up the run that began first, and frees its place. False when there is
// none.
bool run_pool_drop(struct run_pool *pool, uint64_t *tag);

#endif
