#include "search/optimizers/miprov2/extent.h"

#include <math.h>

enum { MINIBATCH_ABOVE = 50, GROUNDING_DEMOS = 3 };

struct level {
    int64_t candidates;
    size_t val_rows;
};

static const struct level levels[] = {
    [MIPROV2_LIGHT] = {6, 100},
    [MIPROV2_MEDIUM] = {12, 300},
    [MIPROV2_HEAVY] = {18, 1000},
    [MIPROV2_NONE] = {0, SIZE_MAX},
};

// Counts all predictors of the program, including those that are not searched:
// what a plan leaves out must not shorten the search of the rest.
static int64_t count_trials(const struct session *session, bool zero_shot,
                            int64_t candidates)
{
    const struct job *job = session_job(session);
    const struct tunable *tunables[TUNABLES_MAX];
    size_t n_tunables =
        tunables_searched(&job->tunables, session_plan(session), tunables);
    double vars = (double)job->program->n_predictors * (zero_shot ? 1 : 2) +
                  (double)n_tunables;
    double n = (double)candidates;

    return (int64_t)fmax(2 * vars * log2(n), 1.5 * n);
}

static bool is_zero_shot(const struct miprov2_params *params)
{
    return params->max_bootstrapped_demos == 0 &&
           params->max_labeled_demos == 0;
}

static struct demo_recipe recipe_of(const struct miprov2_params *params)
{
    return (struct demo_recipe){
        .max_bootstrapped = is_zero_shot(params)
                                ? GROUNDING_DEMOS
                                : params->max_bootstrapped_demos,
        .max_labeled = params->max_labeled_demos,
        .max_rounds = 1,
        .max_errors = params->max_errors,
        .metric_threshold = params->metric_threshold,
    };
}

static bool has_minibatches(const struct miprov2_params *params, size_t n_val)
{
    if ((size_t)params->minibatch_size >= n_val)
        return false;
    if (params->minibatch == MIPROV2_BY_AUTO)
        return params->level == MIPROV2_NONE || n_val > MINIBATCH_ABOVE;
    return params->minibatch == MIPROV2_YES;
}

// Sets what is searched: candidates, and combinations of them.
static void size_search(struct extent *extent, const struct session *session,
                        const struct miprov2_params *params)
{
    int64_t candidates = levels[params->level].candidates;

    extent->n_sets = candidates;
    extent->n_instructions = extent->zero_shot ? candidates : candidates / 2;
    if (params->num_candidates > 0) {
        candidates = params->num_candidates;
        extent->n_sets = candidates;
        extent->n_instructions = candidates;
    }
    extent->n_trials =
        params->num_trials > 0
            ? params->num_trials
            : count_trials(session, extent->zero_shot, candidates);
}

struct extent extent_of(const struct session *session,
                        const struct miprov2_params *params)
{
    size_t val = session_split(session)->n[SHARE_VAL];
    size_t most = levels[params->level].val_rows;
    bool zero_shot = is_zero_shot(params);
    struct extent extent = {
        .zero_shot = zero_shot,
        .makes_sets = !zero_shot || params->fewshot_aware_proposer,
        .recipe = recipe_of(params),
        .n_pools = zero_shot ? 0 : (int64_t)session_job(session)->n_nearest,
        .n_val = val < most ? val : most,
        .full_every = params->minibatch_full_eval_steps,
    };

    extent.minibatch = has_minibatches(params, extent.n_val);
    extent.n_rows =
        extent.minibatch ? (size_t)params->minibatch_size : extent.n_val;
    size_search(&extent, session, params);
    return extent;
}

int64_t extent_trials(const struct extent *extent)
{
    int64_t n = extent->n_trials;

    if (!extent->minibatch)
        return n;
    return n + n / extent->full_every + (n % extent->full_every != 0);
}

struct effort extent_to_come(const struct extent *extent, int64_t n)
{
    int64_t fulls_so_far = extent->minibatch ? n / extent->full_every : 0;
    size_t trials = (size_t)(extent->n_trials - n);
    size_t fulls =
        (size_t)(extent_trials(extent) - extent->n_trials - fulls_so_far);

    return (struct effort){.examples =
                               trials * extent->n_rows + fulls * extent->n_val,
                           .trials = trials + fulls};
}

struct effort extent_effort(const struct extent *extent,
                            const struct session *session)
{
    struct effort effort = extent_to_come(extent, 0);

    if (extent->makes_sets)
        effort.examples += demos_effort(&extent->recipe, (size_t)extent->n_sets,
                                        session_split(session)->n[SHARE_TRAIN]);
    effort.examples += (size_t)extent->n_instructions *
                       session_job(session)->program->n_predictors;
    return effort;
}
