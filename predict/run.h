// run: one input on its way through the steps of a program, and the calls that
// it waits for. Each place of a pool (run_pool.h) holds one run after the
// other.
//
//   call:  NONE --> WAITS --> OPEN --> NONE, once its answer has arrived; after
//                     ^---------'      a transient fault it waits again

#ifndef PREDICT_RUN_H
#define PREDICT_RUN_H

#include <stdint.h>

#include "predict/corpus.h"
#include "predict/local_programs.h"
#include "predict/prompt_part.h"
#include "predict/run_pool.h"
#include "program/graph/ask.h"
#include "program/graph/plan.h"
#include "program/run/stepper.h"
#include "retrieve/nearest.h"
#include "retrieve/retrieval.h"

enum { RUN_PASSAGES_BYTES = 64 << 20 }; // limit for what one step searches

enum call_state { CALL_NONE, CALL_WAITS, CALL_OPEN };

// For a call whose prompt shows the demos that are nearest by embeddings: the
// state of its question's embedding, which is asked for first.
enum near_state { NEAR_NONE, NEAR_WANTED, NEAR_KNOWN };

struct step_call {
    enum call_state state;
    struct ask ask;
    uint64_t id; // CALL_OPEN: the request that is waiting for its answer
    int tries;
    int64_t failed_ms; // when it last failed; 0: never
    int64_t due_ms;    // CALL_WAITS: not to be sent before
    enum near_state near;
    struct direction *direction; // owned; NULL: the question has none
};

enum run_state { RUN_FREE, RUN_ACTIVE, RUN_ENDED };

struct run {
    enum run_state state;
    uint64_t tag;
    struct stepper *stepper; // owned; NULL if the inputs did not fit
    enum run_end end;        // RUN_ENDED: if this is not RUN_END_OUTPUTS,
    struct err err;          // err says why
    enum call_fault fault;   // the server's last fault
    struct step_call calls[PROGRAM_MAX_STEPS];
};

// The pool, for the files that implement it: run.c, asking.c (what runs ask),
// answers.c (what comes back) and run_pool.c.
struct run_pool {
    struct run_pool_options options;
    struct plan plan;
    struct prompt_part parts[PROGRAM_MAX_STEPS];
    struct run *runs; // owned; options.places of them
    size_t *order;    // owned; the places in use, oldest run first
    size_t n;
    struct local_programs *programs; // owned; NULL if no step has one
    struct retrieval *retrieval;     // likewise, for steps that search
    struct corpus *corpus;           // likewise, for searches by embeddings
    struct nearest *nearest;         // owned; for pools of demos
    uint64_t requests;               // sent to programs so far
    int64_t failing_ms; // since when the server answers no call; 0: it does
    struct err trouble; // the server's message meanwhile
};

// Returns the id of a step's call: a number that is the same in every pool of
// this size.
int64_t run_call_id(const struct run_pool *pool, const struct run *run,
                    int step);

// Drops the run's calls at the model server. An answer that a program still
// gives to this run is ignored.
void run_drop_calls(struct run_pool *pool, struct run *run);

// Ends the run like this; it keeps its place until run_release.
void run_finish(struct run *run, enum run_end end);

// The same for a run that has failed: what its other calls answer is not
// wanted.
void run_abandon(struct run_pool *pool, struct run *run, enum run_end end);

// Frees what the run holds and frees its place.
void run_release(struct run *run);

#endif
