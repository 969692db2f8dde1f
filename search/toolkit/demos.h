// demos: makes the sets of demos that a search chooses from.
//
// A set has a list of demos for each predictor that the plan runs. Demos come
// from two sources: labelled examples (labels.h), and traces of the teacher.
// For a trace, the teacher runs the whole program on a training row; if the
// metric passes, each step's inputs and outputs become a demo of that step.
//
// Invariants
//
//  1. The teacher never sees the row that it runs on, or a row equal to it,
//     among its own demos.
//  2. Each row is run at most once per round, whichever set asks first. All
//     sets share one teacher, so after the first set, a set costs only the
//     rows that no earlier one has read.
//  3. Rows are run ahead in blocks. Their size follows from the window and
//     the number of missing demos, never from the workers; results are read
//     in order and only up to the decision. So the sets are the same on any
//     cluster.
//  4. A demo holds every field of its step (program/graph/candidate.h).
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_DEMOS_H
#define SEARCH_TOOLKIT_DEMOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/rng.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"
#include "search/toolkit/demo_set.h"

struct demo_recipe {
    int64_t max_bootstrapped; // rows whose traces become demos
    int64_t max_labeled;      // labelled demos are added until a predictor has
                              // this many demos
    int64_t max_rounds;       // runs per row; from the second at temperature 1
    int64_t max_errors;       // stop after this many rows without an answer
    double metric_threshold;  // lowest passing score; NAN: any above 0
};

// The rows that demos are made from, in this order, and the source of random
// draws.
struct demo_rows {
    const size_t *rows;
    size_t n;
    struct rng *rng; // demos_labeled: may be NULL
};

struct demo_maker;

// Creates a maker for one search. `teacher` is the program that the teacher
// runs, including its demos; NULL means the baseline, with labelled demos as
// the first recipe asks for. Borrows session.
struct demo_maker *demo_maker_new(struct session *session,
                                  struct candidate *teacher,
                                  const struct plan *plan, struct err *err);
void demo_maker_free(struct demo_maker *maker); // accepts NULL

// Makes up to k labelled demos for each predictor. Each predictor takes rows in
// its own order drawn from rng, or in the given order if rng is NULL. Unusable
// rows are skipped and not counted.
bool demos_labeled(struct demo_maker *maker, const struct demo_rows *from,
                   int64_t k, struct demo_set *out, struct err *err);

// Makes demos from the traces of the first rows that the teacher gets right, in
// the given order, then adds labelled demos of other rows.
bool demos_bootstrap(struct demo_maker *maker, const struct demo_recipe *recipe,
                     const struct demo_rows *from, struct demo_set *out,
                     struct err *err);

// Returns how many runs of the teacher this many sets of n rows take if it is
// right on each row.
size_t demos_effort(const struct demo_recipe *recipe, size_t sets, size_t n);

// Makes a pool of all demos that the rows can provide, for prompts that show
// the `nearest` of them to their question. First come traces, as
// demos_bootstrap makes them by the recipe, then every labelled row; at most
// POOL_ROWS demos per step. If the rows have labels for all outputs of a step,
// its pool costs no call; otherwise it costs one teacher call per row.
enum { POOL_ROWS = 400 };
bool demos_pool(struct demo_maker *maker, const struct demo_recipe *recipe,
                const struct demo_rows *from, size_t nearest,
                struct demo_set *out, struct err *err);

// Makes demos for the steps that the plan left out, from teacher runs of the
// whole program on rows that the metric passes, at most max per step. *out is a
// new reference: winner itself if there are no demos to add.
bool demos_for_skipped(struct session *session, struct candidate *winner,
                       size_t max, struct candidate **out, struct err *err);

#endif
