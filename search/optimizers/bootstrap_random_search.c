// bootstrap_random_search: evaluates many demo sets whole and keeps the best.
//
// It tries, in this order: no demos (the baseline, already evaluated); labelled
// demos only; demos bootstrapped on the rows in order; and then
// num_candidate_programs sets bootstrapped on shuffled rows, with a size drawn
// at random. If the job has tunables, each shuffled set draws values for them
// too. If the job allows it, demos nearest to the question are tried after
// those bootstrapped in order.

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "search/optimizers/demo_params.h"
#include "search/toolkit/demos.h"
#include "search/toolkit/leader.h"

struct params {
    struct demo_recipe recipe;
    int64_t num_candidate_programs;
    double stop_at_score;
    int64_t seed;
};

static const struct param params[] = {
    DEMO_PARAMS(struct params),
    {"num_candidate_programs", PARAM_INT,
     offsetof(struct params, num_candidate_programs), 0, 10000, 16, NULL,
     "demo sets on shuffled examples"},
    {"stop_at_score", PARAM_NUMBER, offsetof(struct params, stop_at_score), 0,
     1, 1, NULL, "a score that is good enough to end the search"},
};

struct random_search {
    struct session *session;
    const struct params *params;
    struct leader leader;
    struct demo_maker *maker;
    const size_t *rows;
    size_t n;
    size_t *order; // scratch space for n rows
    size_t to_try; // sets still to try after this one
};

// Demo sets by index, from 0: labelled, in order, then the shuffled ones.
enum { SET_LABELED = 0, SET_IN_ORDER = 1, SET_SHUFFLED = 2 };

static int64_t first_set(const struct params *values)
{
    return values->recipe.max_labeled > 0 ? SET_LABELED : SET_IN_ORDER;
}

static size_t count_sets(const struct session *session,
                         const struct params *values)
{
    return (size_t)(values->num_candidate_programs + SET_SHUFFLED -
                    first_set(values)) +
           session_job(session)->n_nearest;
}

static struct effort effort_of(const struct session *session,
                               const struct params *values, size_t sets)
{
    struct effort effort = leader_effort(session, sets);

    effort.examples += demos_effort(&values->recipe, sets,
                                    session_split(session)->n[SHARE_TRAIN]);
    return effort;
}

static struct effort effort(struct session *session, const void *given)
{
    return effort_of(session, given, count_sets(session, given));
}

// Tries the set that was just made, and forecasts it together with the others.
static bool try_candidate(struct random_search *search,
                          struct candidate *candidate, const char *reason,
                          struct err *err)
{
    struct effort to_come =
        effort_of(search->session, search->params, --search->to_try);
    struct effort this = leader_effort(search->session, 1);

    to_come.examples += this.examples;
    to_come.trials += this.trials;
    session_expect(search->session, to_come);
    return leader_try(&search->leader, candidate, reason, err);
}

static bool make_set(struct random_search *search, int64_t index,
                     struct demo_set *set, struct err *err)
{
    struct demo_recipe recipe = search->params->recipe;
    struct rng rng = session_rng(search->session, "demo-sets", (uint64_t)index);

    memcpy(search->order, search->rows, search->n * sizeof *search->order);
    if (index == SET_LABELED)
        return demos_labeled(search->maker,
                             &(struct demo_rows){search->rows, search->n, &rng},
                             recipe.max_labeled, set, err);
    if (index >= SET_SHUFFLED) {
        rng_shuffle(&rng, search->order, search->n);
        if (recipe.max_bootstrapped > 0)
            recipe.max_bootstrapped =
                1 + (int64_t)rng_below(&rng, (uint64_t)recipe.max_bootstrapped);
    }
    return demos_bootstrap(search->maker, &recipe,
                           &(struct demo_rows){search->order, search->n, &rng},
                           set, err);
}

// Returns the program with the demos of a set. The job's tunables are at their
// defaults for the first sets, and drawn at random for the shuffled ones.
static struct candidate *make_candidate(struct random_search *search,
                                        int64_t index,
                                        const struct demo_set *set,
                                        struct err *err)
{
    const struct tunable *tunables[TUNABLES_MAX];
    size_t n = tunables_searched(&session_job(search->session)->tunables,
                                 session_plan(search->session), tunables);
    struct rng rng = session_rng(search->session, "tunables", (uint64_t)index);
    int no = (int)index + 1;

    if (n == 0 || index < SET_SHUFFLED)
        return demo_set_candidate(set, no, search->session, err);

    struct candidate *candidate =
        candidate_child(session_baseline(search->session), err);
    bool ok = candidate != NULL && demo_set_apply(set, no, candidate, err);
    for (size_t i = 0; ok && i < n; i++)
        ok = tunable_set(tunables[i], candidate,
                         rng_below(&rng, tunables[i]->n_choices), err);
    if (!ok) {
        candidate_unref(candidate);
        return NULL;
    }
    candidate_seal(candidate);
    return candidate;
}

static bool try_set(struct random_search *search, int64_t index,
                    struct err *err)
{
    static const char *const REASONS[] = {"labelled demos", "demos in order",
                                          "demos by chance"};
    struct demo_set set = {0};
    struct candidate *candidate = NULL;

    if (!make_set(search, index, &set, err))
        return false;
    candidate = make_candidate(search, index, &set, err);
    bool ok = candidate != NULL &&
              try_candidate(
                  search, candidate,
                  REASONS[index < SET_SHUFFLED ? index : SET_SHUFFLED], err);
    candidate_unref(candidate);
    demo_set_release(&set);
    return ok;
}

static bool try_pool(struct random_search *search, size_t i, struct err *err)
{
    const struct job *job = session_job(search->session);
    struct rng rng = session_rng(search->session, "demo-pool", 0);
    struct demo_set set = {0};
    struct candidate *candidate = NULL;
    bool ok = demos_pool(search->maker, &search->params->recipe,
                         &(struct demo_rows){search->rows, search->n, &rng},
                         (size_t)job->nearest[i], &set, err);

    if (ok)
        candidate =
            demo_set_candidate(&set,
                               (int)(search->params->num_candidate_programs +
                                     SET_SHUFFLED + 1 + (int64_t)i),
                               search->session, err);
    ok = candidate != NULL &&
         try_candidate(search, candidate, "the nearest demos of a pool", err);
    candidate_unref(candidate);
    demo_set_release(&set);
    return ok;
}

static bool run_pools(struct random_search *search, struct err *err)
{
    size_t n = session_job(search->session)->n_nearest;

    for (size_t i = 0; i < n && !search->leader.over; i++) {
        if (!leader_admit(&search->leader, err))
            return false;
        if (!search->leader.over && !try_pool(search, i, err))
            return false;
    }
    return true;
}

static bool run_sets(struct random_search *search, struct err *err)
{
    int64_t sets = search->params->num_candidate_programs + SET_SHUFFLED;

    session_phase(search->session, "search");
    for (int64_t i = first_set(search->params);
         i < sets && !search->leader.over; i++) {
        if (i == SET_SHUFFLED && !run_pools(search, err))
            return false;
        if (search->leader.over)
            break;
        if (!leader_admit(&search->leader, err))
            return false;
        if (!search->leader.over && !try_set(search, i, err))
            return false;
    }
    return true;
}

static bool run(struct session *session, const void *given, struct err *err)
{
    const struct params *values = given;
    const struct split *split = session_split(session);
    struct random_search search = {
        .session = session,
        .params = values,
        .leader = leader_of(session, values->stop_at_score),
        .maker = demo_maker_new(session, NULL, session_plan(session), err),
        .rows = split->rows[SHARE_TRAIN],
        .n = split->n[SHARE_TRAIN],
        .to_try = count_sets(session, values),
    };
    bool ok = false;

    if (search.maker == NULL)
        return false;
    search.order = calloc(search.n + 1, sizeof *search.order);
    if (search.order == NULL)
        err_nomem(err, "a search");
    else
        ok = leader_end(&search.leader, run_sets(&search, err), err);
    free(search.order);
    demo_maker_free(search.maker);
    return ok;
}

const struct optimizer bootstrap_random_search = {
    .name = "bootstrap_random_search",
    .help = "many bootstrapped demo sets, of which the best is kept",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct params),
    .pools = true,
    .effort = effort,
    .run = run,
};
