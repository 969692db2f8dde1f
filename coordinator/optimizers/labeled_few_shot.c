// labeled_few_shot: labelled examples as demos, no search.
//
// Each predictor gets a sample of its own. One candidate, one evaluation.

#include <stddef.h>

#include "coordinator/optimizer.h"
#include "coordinator/search/demos.h"
#include "coordinator/search/leader.h"

struct params {
    int64_t k;
    bool sample;
    int64_t seed;
};

static const struct param params[] = {
    {"k", PARAM_INT, offsetof(struct params, k), 0, 1000, 16, NULL,
     "demos a predictor"},
    {"sample", PARAM_BOOL, offsetof(struct params, sample), 0, 1, 1, NULL,
     "draw the examples by chance rather than take the first ones"},
    {"seed", PARAM_INT, offsetof(struct params, seed), 0, 9e15, 0, NULL,
     "of the random numbers"},
};

static bool make_set(struct session *session, const struct params *given,
                     struct demo_set *set, struct err *err)
{
    const struct split *split = session_split(session);
    struct rng rng = session_rng(session, "labeled-demos", 0);
    struct demo_maker *maker =
        demo_maker_new(session, NULL, session_plan(session), err);

    if (maker == NULL)
        return false;
    bool ok =
        demos_labeled(maker, split->rows[SHARE_TRAIN], split->n[SHARE_TRAIN],
                      given->k, given->sample ? &rng : NULL, set, err);
    demo_maker_free(maker);
    return ok;
}

static bool run(struct session *session, const void *given, struct err *err)
{
    bool ok = false;
    struct leader leader = leader_of(session, 1.0);
    struct demo_set set = {0};
    struct candidate *candidate = NULL;

    if (!leader.over && !leader_admit(&leader, err))
        goto out;
    if (!leader.over) {
        session_phase(session, "demos", 1);
        if (!make_set(session, given, &set, err))
            goto out;
        session_note(session, "%zu labelled demos", demo_set_count(&set));
        candidate = demo_set_candidate(&set, 1, session, err);
        if (candidate == NULL ||
            !leader_try(&leader, candidate, "labelled demos", err))
            goto out;
    }
    ok = leader_end(&leader, err);

out:
    candidate_unref(candidate);
    demo_set_release(&set);
    return ok;
}

extern const struct optimizer labeled_few_shot;
const struct optimizer labeled_few_shot = {
    .name = "labeled_few_shot",
    .help = "labelled examples as demos; no search",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct params),
    .run = run,
};
