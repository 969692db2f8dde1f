// extent: how far a search goes: what its parameters amount to on this job.
//
// `auto` sets the number of candidates and of validation rows that count. The
// number of trials follows from the candidates and from how much there is to
// combine. A parameter that is given explicitly overrides `auto`. Everything is
// settled before the first call, from the job and the parameters alone, so that
// people can be told how much is to come.
//
// Pure.

#ifndef SEARCH_OPTIMIZERS_MIPROV2_EXTENT_H
#define SEARCH_OPTIMIZERS_MIPROV2_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/session/session.h"
#include "search/toolkit/demos.h"

enum miprov2_auto {
    MIPROV2_LIGHT,
    MIPROV2_MEDIUM,
    MIPROV2_HEAVY,
    MIPROV2_NONE
};
enum miprov2_minibatch { MIPROV2_BY_AUTO, MIPROV2_NO, MIPROV2_YES };

// As given by the job; the table in miprov2.c explains each.
struct miprov2_params {
    int level;              // enum miprov2_auto
    int64_t num_candidates; // -1: by level
    int64_t num_trials;     // -1: by the formula
    int64_t max_bootstrapped_demos;
    int64_t max_labeled_demos;
    int64_t max_errors;
    double metric_threshold; // NAN: any score above 0
    double init_temperature;
    int64_t seed;
    int minibatch; // enum miprov2_minibatch
    int64_t minibatch_size;
    int64_t minibatch_full_eval_steps;
    bool program_aware_proposer;
    bool data_aware_proposer;
    int64_t view_data_batch_size;
    bool tip_aware_proposer;
    bool fewshot_aware_proposer;
};

struct extent {
    bool zero_shot;            // only instructions are searched
    bool makes_sets;           // demo sets are made, to choose from or to show
                               // to the proposer
    struct demo_recipe recipe; // of a set
    int64_t n_sets;            // without the pools, which are additional
    int64_t n_pools;           // sets of demos nearest to the question
    int64_t n_instructions;    // proposals per step
    int64_t n_trials;          // combinations tried
    size_t n_val;              // validation rows that count
    bool minibatch;            // trials are on a sample of these,
    size_t n_rows;             // of this many rows; otherwise on all n_val
    int64_t full_every; // with minibatches: after this many trials the best
                        // mean is evaluated on all rows
};

// Works out what a search with these parameters does on the job. Pure.
struct extent extent_of(const struct session *session,
                        const struct miprov2_params *params);

// Returns the number of all trials: those of combinations, and those of the
// best mean on all rows.
int64_t extent_trials(const struct extent *extent);

// Returns the work that remains once n combinations have been tried.
struct effort extent_to_come(const struct extent *extent, int64_t n);

// Returns the work of the whole search.
struct effort extent_effort(const struct extent *extent,
                            const struct session *session);

#endif
