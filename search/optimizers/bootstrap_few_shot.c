// bootstrap_few_shot: demos from the teacher's own good runs.
//
// The teacher runs the program on training rows in order until enough of them
// have passed the metric; labelled examples fill the rest. One candidate, one
// evaluation.

#include "search/optimizers/demo_params.h"
#include "search/toolkit/one_set.h"

struct params {
    struct demo_recipe recipe;
    int64_t seed;
};

static const struct param params[] = {
    DEMO_PARAMS(struct params),
};

static bool make(struct demo_maker *maker, const void *given,
                 const struct demo_rows *from, struct demo_set *out,
                 struct err *err)
{
    const struct params *values = given;

    return demos_bootstrap(maker, &values->recipe, from, out, err);
}

static struct effort effort(struct session *session, const void *given)
{
    const struct params *values = given;

    return one_set_effort(session, &values->recipe);
}

static bool run(struct session *session, const void *given, struct err *err)
{
    const struct params *values = given;

    return one_set_search(session, make, given, &values->recipe,
                          "bootstrapped demos", err);
}

const struct optimizer bootstrap_few_shot = {
    .name = "bootstrap_few_shot",
    .help = "demos from runs of the teacher that the metric passes",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct params),
    .one_set = true,
    .pools = true,
    .effort = effort,
    .run = run,
};
