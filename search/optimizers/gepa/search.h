// search: the state that the iterations of a search share. gepa.c describes the
// search, and iteration.h what an iteration does.

#ifndef SEARCH_OPTIMIZERS_GEPA_SEARCH_H
#define SEARCH_OPTIMIZERS_GEPA_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/optimizers/gepa/minibatches.h"
#include "search/session/session.h"
#include "search/toolkit/leader.h"
#include "search/toolkit/merge.h"
#include "search/toolkit/pool.h"
#include "search/toolkit/reflection.h"

// How much is spent, unless the job says it in numbers (budget.h).
enum gepa_auto { GEPA_LIGHT, GEPA_MEDIUM, GEPA_HEAVY };

// Whose instruction is rewritten, and which of its steps' instructions.
enum gepa_selection { GEPA_SELECT_PARETO, GEPA_SELECT_BEST };
enum gepa_selector { GEPA_EACH_IN_TURN, GEPA_ALL_TOGETHER };

struct gepa_params {
    int level;                // enum gepa_auto
    int64_t max_full_evals;   // -1: not given
    int64_t max_metric_calls; // -1: not given
    int64_t reflection_minibatch_size;
    int selection; // enum gepa_selection
    int selector;  // enum gepa_selector
    bool skip_perfect_score;
    double perfect_score;
    bool add_format_failure_as_feedback;
    bool use_merge;
    int64_t max_merge_invocations;
    int64_t acceptance_rows;
    int64_t seed;
};

struct iteration;

struct gepa_search {
    struct session *session;          // borrowed
    const struct gepa_params *params; // borrowed
    struct leader leader;
    struct reflection_form form;
    struct minibatches minibatches;
    size_t *parts; // owned: the predictors that the plan runs
    size_t n_parts;
    struct pool pool;
    struct merges merges;    // those that were tried
    struct iteration *lanes; // owned: those under way, one per lane
    size_t n_lanes;
    int64_t budget; // scored runs (budget.h)
    int64_t spent;
    int64_t begun;                   // iterations
    int64_t proposed;                // children with a new instruction
    int64_t kept;                    // children that joined the pool
    int64_t childless;               // iterations without a child
    int64_t merges_due, merges_kept; // still to try; that joined the pool
    bool found_new; // whether the last iteration that ended added to the pool
};

#endif
