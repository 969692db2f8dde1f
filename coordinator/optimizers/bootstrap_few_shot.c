// bootstrap_few_shot: demos from the teacher's own good runs.
//
// The teacher runs the program on training rows in order until enough passed
// the metric; labelled examples fill the rest. One candidate, one evaluation.

#include <math.h>
#include <stddef.h>

#include "coordinator/optimizer.h"
#include "coordinator/search/demos.h"
#include "coordinator/search/leader.h"

struct params {
    struct demo_recipe recipe;
    int64_t seed;
};

#define RECIPE(member) offsetof(struct params, recipe.member)

static const struct param params[] = {
    {"metric_threshold", PARAM_NUMBER, RECIPE(metric_threshold), 0, 1, NAN,
     NULL, "score from which a teacher's run is good; without it any above 0"},
    {"max_bootstrapped_demos", PARAM_INT, RECIPE(max_bootstrapped), 0, 1000, 4,
     NULL, "demos from the teacher's runs, a predictor"},
    {"max_labeled_demos", PARAM_INT, RECIPE(max_labeled), 0, 1000, 16, NULL,
     "demos of a predictor up to which labelled examples are added"},
    {"max_rounds", PARAM_INT, RECIPE(max_rounds), 1, 100, 1, NULL,
     "times that the teacher tries an example"},
    {"max_errors", PARAM_INT, RECIPE(max_errors), 1, 1e9, 10, NULL,
     "examples without any answer after which no more are tried"},
    {"seed", PARAM_INT, offsetof(struct params, seed), 0, 9e15, 0, NULL,
     "of the random numbers"},
};

static bool make_set(struct session *session, const struct demo_recipe *recipe,
                     struct demo_set *set, struct err *err)
{
    const struct split *split = session_split(session);
    struct rng rng = session_rng(session, "labeled-demos", 0);
    struct demo_maker *maker =
        demo_maker_new(session, NULL, session_plan(session), err);

    if (maker == NULL)
        return false;
    bool ok = demos_bootstrap(maker, recipe, split->rows[SHARE_TRAIN],
                              split->n[SHARE_TRAIN], &rng, set, err);
    demo_maker_free(maker);
    return ok;
}

static bool run(struct session *session, const void *given, struct err *err)
{
    const struct params *values = given;
    bool ok = false;
    struct leader leader = leader_of(session, 1.0);
    struct demo_set set = {0};
    struct candidate *candidate = NULL;

    if (!leader.over && !leader_admit(&leader, err))
        goto out;
    if (!leader.over) {
        session_phase(session, "demos", 1);
        if (!make_set(session, &values->recipe, &set, err))
            goto out;
        session_note(session, "%zu demos", demo_set_count(&set));
        candidate = demo_set_candidate(&set, 1, session, err);
        if (candidate == NULL ||
            !leader_try(&leader, candidate, "bootstrapped demos", err))
            goto out;
    }
    ok = leader_end(&leader, err);

out:
    candidate_unref(candidate);
    demo_set_release(&set);
    return ok;
}

extern const struct optimizer bootstrap_few_shot;
const struct optimizer bootstrap_few_shot = {
    .name = "bootstrap_few_shot",
    .help = "demos from runs of the teacher that the metric passes",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct params),
    .run = run,
};
