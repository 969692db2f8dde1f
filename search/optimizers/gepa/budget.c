#include "search/optimizers/gepa/budget.h"

#include <math.h>

// Returns DSPy's formula, which makes gepa cost about as much as miprov2 would.
// All predictors count, including those that are not searched.
static int64_t auto_budget(const struct session *session, int level)
{
    static const double candidates[] = {
        [GEPA_LIGHT] = 6, [GEPA_MEDIUM] = 12, [GEPA_HEAVY] = 18};
    enum { SAMPLE = 35, STEPS = 5 };
    double n = candidates[level];
    double parts = (double)session_job(session)->program->n_predictors;
    int64_t trials = (int64_t)fmax(2 * (parts * 2) * log2(n), 1.5 * n);
    int64_t val = (int64_t)session_split(session)->n[SHARE_VAL];
    int64_t fulls = (trials + 1) / STEPS + 1 + (trials < STEPS ? 1 : 0);

    return val + 5 * (int64_t)n + trials * SAMPLE + fulls * val;
}

int64_t gepa_budget(const struct session *session,
                    const struct gepa_params *values)
{
    const struct split *split = session_split(session);

    if (values->max_metric_calls > 0)
        return values->max_metric_calls;
    if (values->max_full_evals > 0)
        return values->max_full_evals *
               (int64_t)(split->n[SHARE_TRAIN] + split->n[SHARE_VAL]);
    return auto_budget(session, values->level);
}
