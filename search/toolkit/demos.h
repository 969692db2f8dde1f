// demos: makes the sets of demos that a search chooses among.
//
// A set has a list of demos for each predictor that the plan runs. Demos come
// from two sources: labelled examples (labels.h), and traces of
// the teacher: the teacher runs the whole program on a training row, and where
// the metric passes, each step's inputs and outputs become a demo of it.
//
// Invariants
//  1. The teacher never sees the row that it runs on among its own demos, nor
//     a row equal to it.
//  2. Each row is run at most once a round, whichever set asks first: all
//     sets share one teacher, so what a set costs beyond the first is only
//     the rows that none before it has read.
//  3. Rows are run ahead in blocks whose size follows from window and the
//     demos that are missing, never from workers; results are read in order
//     and not past the decision. So the sets are the same on any cluster.
//  4. A demo holds every field of its step (program/graph/candidate.h).
//
// For the job's own thread.

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
    int64_t max_labeled;      // demos of a predictor up to which labelled
                              // ones are added
    int64_t max_rounds;       // runs a row; from the second at temperature 1
    int64_t max_errors;       // rows without an answer that end the search
    double metric_threshold;  // a passing score at least; NAN: any above 0
};

// The rows that demos are made of, in this order, and what is drawn of them.
struct demo_rows {
    const size_t *rows;
    size_t n;
    struct rng *rng; // demos_labeled: may be NULL
};

struct demo_maker;

// For one search. teacher: the program that the teacher runs, demos included;
// NULL: the baseline, with labelled demos as the first recipe wants them.
// session is borrowed.
struct demo_maker *demo_maker_new(struct session *session,
                                  struct candidate *teacher,
                                  const struct plan *plan, struct err *err);
void demo_maker_free(struct demo_maker *maker); // NULL is fine

// Up to k labelled demos for each predictor, each taking rows in an order of
// its own drawn from rng, or in the order given when that is NULL. Unusable
// rows are skipped, not counted.
bool demos_labeled(struct demo_maker *maker, const struct demo_rows *from,
                   int64_t k, struct demo_set *out, struct err *err);

// Traces of the first rows that the teacher gets right, in the order given,
// then labelled demos of other rows.
bool demos_bootstrap(struct demo_maker *maker, const struct demo_recipe *recipe,
                     const struct demo_rows *from, struct demo_set *out,
                     struct err *err);

// Runs of the teacher that so many sets of n rows take when it is right on each
// of them.
size_t demos_effort(const struct demo_recipe *recipe, size_t sets, size_t n);

// Makes a pool: all demos that the rows can be, for prompts that show the
// `nearest` of them to their question. First traces as demos_bootstrap makes
// them by the recipe, then every labelled row; at most POOL_ROWS demos a step.
// If the rows say all outputs of a step, its pool costs no call; otherwise it
// costs one call of the teacher a row.
enum { POOL_ROWS = 400 };
bool demos_pool(struct demo_maker *maker, const struct demo_recipe *recipe,
                const struct demo_rows *from, size_t nearest,
                struct demo_set *out, struct err *err);

// Demos for the steps that the plan left out, from teacher runs of the whole
// program on rows that the metric passes, at most max a step. *out is a new
// reference: winner itself where there are none to add.
bool demos_for_skipped(struct session *session, struct candidate *winner,
                       size_t max, struct candidate **out, struct err *err);

#endif
