// iteration: one attempt to better a member of the pool, in progress.
//
//   READING ------> REFLECTING -----> SAMPLED -------> CHECKED -----> EVALUATED
//   the parent's    the teacher's     the child on     both on more   the child
//   runs            answers           the same rows    rows           on all
//                                        |                ^              |
//   a merge: --------------------------> '----------------'-----------> pool
//   on validation rows
//
// It ends early, without an addition to the pool, when the parent makes no
// mistakes, when the teacher says nothing new, or when the child turns out to
// be no better. `search` owns the iterations, and each works on its state.
//
// Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_GEPA_ITERATION_H
#define SEARCH_OPTIMIZERS_GEPA_ITERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "search/optimizers/gepa/minibatches.h"
#include "search/optimizers/gepa/rewrites.h"
#include "search/optimizers/gepa/search.h"

enum iteration_stage {
    ITERATION_NONE, // not begun, or ended
    ITERATION_READING,
    ITERATION_REFLECTING,
    ITERATION_SAMPLED,
    ITERATION_CHECKED,
    ITERATION_EVALUATED,
};

// Zeroed means none.
struct iteration {
    enum iteration_stage stage;
    int64_t no; // from 0
    bool is_merge;
    size_t parents[POOL_PARENTS]; // in the pool; the second only for a merge
    struct minibatch minibatch;   // unused in a merge
    struct runs *runs;            // owned: the parent's runs on the minibatch
    struct runs *more_runs;       // owned: the parent on the further rows
    struct rewrites rewrites;     // of the parent's steps
    struct candidate *child;      // owned
    struct trial *sample;         // the child's trials; the session owns them
    struct trial *more;
    struct trial *full;
};

// Begins the next iteration of the search in `iteration`, which must be none: a
// merge if one is due, else a rewriting. Submits its first work and returns at
// once.
bool iteration_begin(struct gepa_search *search, struct iteration *iteration,
                     struct err *err);

// Waits for the iteration's work in progress and continues from there, up to
// its next work or its end. Does nothing if there is none.
bool iteration_advance(struct gepa_search *search, struct iteration *iteration,
                       struct err *err);

// Ends the iteration, wherever it is: releases what it owns.
void iteration_end(struct gepa_search *search, struct iteration *iteration);

#endif
