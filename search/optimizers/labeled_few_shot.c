// labeled_few_shot: uses labelled examples as demos, without a search.
//
// Each predictor gets its own sample. One candidate, one evaluation.

#include <stddef.h>

#include "search/optimizers/optimizer.h"
#include "search/toolkit/one_set.h"

struct params {
    int64_t k;
    bool sample;
    int64_t seed;
};

static const struct param params[] = {
    {"k", PARAM_INT, offsetof(struct params, k), 0, 1000, 16, NULL,
     "demos for each predictor"},
    {"sample", PARAM_BOOL, offsetof(struct params, sample), 0, 1, 1, NULL,
     "draw them at random; otherwise take the first ones"},
    {"seed", PARAM_INT, offsetof(struct params, seed), 0, 9e15, 0, NULL,
     "seed of the random numbers"},
};

static bool make(struct demo_maker *maker, const void *given,
                 const struct demo_rows *from, struct demo_set *out,
                 struct err *err)
{
    const struct params *values = given;
    struct demo_rows own = *from;

    if (!values->sample)
        own.rng = NULL;
    return demos_labeled(maker, &own, values->k, out, err);
}

static const struct demo_recipe no_traces = {0}; // no teacher's runs are shown

static struct effort effort(struct session *session, const void *given)
{
    (void)given;
    return one_set_effort(session, &no_traces);
}

static bool run(struct session *session, const void *given, struct err *err)
{
    return one_set_search(session, make, given, &no_traces, "labelled demos",
                          err);
}

const struct optimizer labeled_few_shot = {
    .name = "labeled_few_shot",
    .help = "labelled examples as demos; no search",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct params),
    .one_set = true,
    .pools = true,
    .effort = effort,
    .run = run,
};
