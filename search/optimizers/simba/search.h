// search: the state that the files of this room share. simba.c describes the
// search; pool.h has its programs, batch.h the rows of a step, demos.h and
// rules.h the two ways to make a new program.

#ifndef SEARCH_OPTIMIZERS_SIMBA_SEARCH_H
#define SEARCH_OPTIMIZERS_SIMBA_SEARCH_H

#include "search/session/session.h"
#include "search/toolkit/leader.h"
#include "search/toolkit/teacher.h"

enum { SIMBA_NAME_BYTES = 96 };

struct simba_params {
    int64_t bsize;
    int64_t num_candidates;
    int64_t max_steps;
    int64_t max_demos;
    int64_t demo_input_field_maxlen;
    double temperature_for_sampling;
    double temperature_for_candidates;
    int64_t seed;
};

struct simba_member {
    struct candidate *candidate; // owned
    double score;                // on the minibatch that it was made for
};

// A row of the minibatch and its runs, best first. Runs without a score are
// left out: the row is excluded or its judge failed.
struct simba_bucket {
    size_t row;
    const struct task_item **items; // borrowed from the runs
    size_t n;
    double gap, most, above_mean;
};

// One candidate's share of a step's runs.
struct simba_run {
    struct runs *runs; // owned
    size_t *places;    // owned: positions of its items among all, model by
                       // model
};

// The step in progress.
struct simba_step {
    struct rng rng;
    size_t *batch; // owned: rows
    size_t n_batch;
    size_t *top; // owned: indices in the pool
    size_t n_top;
    struct simba_run *runs; // owned
    size_t n_runs;
    const struct task_item **items; // owned: model by model
    struct simba_bucket *buckets;   // owned
    double low, high;               // 10th and 90th percentile of all scores
};

struct simba_search {
    struct session *session;
    const struct simba_params *params;
    struct leader leader;
    struct form rule;
    char (*advice)[SIMBA_NAME_BYTES]; // owned: field names of the form
    size_t *parts;                    // owned: the predictors that the plan
                                      // runs
    size_t n_parts;
    size_t *order; // owned: training rows, as shuffled for this epoch
    size_t n_train;
    size_t at; // rows of `order` that were used
    size_t epochs;
    struct simba_member *pool; // owned; [0] is the program as written
    size_t n_pool;
    int64_t made;    // rules and demos made so far, to number them
    size_t n_models; // runs of each row
    struct simba_step step;
};

#endif
