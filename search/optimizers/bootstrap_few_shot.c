// bootstrap_few_shot: demos from the teacher's own good runs.
//
// The teacher runs the program on training rows in order until enough passed
// the metric; labelled examples fill the rest. One candidate, one evaluation.

#include <math.h>
#include <stddef.h>

#include "search/optimizers/optimizer.h"
#include "search/toolkit/one_set.h"

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

static bool make(struct demo_maker *maker, const void *given,
                 const size_t *rows, size_t n, struct rng *rng,
                 struct demo_set *out, struct err *err)
{
    const struct params *values = given;

    return demos_bootstrap(maker, &values->recipe, rows, n, rng, out, err);
}

static bool run(struct session *session, const void *given, struct err *err)
{
    return one_set_search(session, make, given, "bootstrapped demos", err);
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
