#include "search/optimizers/simba/pool.h"

#include <math.h>
#include <stdlib.h>

bool simba_pool_add(struct simba_search *search, struct candidate *candidate,
                    double score, struct err *err)
{
    struct simba_member *more =
        realloc(search->pool, (search->n_pool + 1) * sizeof *more);

    if (more == NULL) {
        err_nomem(err, "a pool of programs");
        return false;
    }
    search->pool = more;
    search->pool[search->n_pool++] =
        (struct simba_member){candidate_ref(candidate), score};
    return true;
}

bool simba_pool_choose(struct simba_search *search, struct err *err)
{
    size_t most = (size_t)search->params->num_candidates;
    size_t *order = calloc(search->n_pool + 1, sizeof *order);
    bool has_first = false;

    if (order == NULL) {
        err_nomem(err, "a pool of programs");
        return false;
    }
    for (size_t i = 0; i < search->n_pool; i++) {
        size_t at = i;
        for (; at > 0 &&
               search->pool[order[at - 1]].score < search->pool[i].score;
             at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    search->step.n_top = search->n_pool < most ? search->n_pool : most;
    for (size_t i = 0; i < search->step.n_top; i++)
        has_first = has_first || order[i] == 0;
    if (!has_first)
        order[search->step.n_top - 1] = 0;
    free(search->step.top);
    search->step.top = order;
    return true;
}

size_t simba_pool_draw(struct simba_search *search, double temperature)
{
    double total = 0;
    double most = 0;

    // The greatest score is subtracted so that no power overflows.
    for (size_t i = 0; i < search->step.n_top; i++)
        most = fmax(most, search->pool[search->step.top[i]].score);
    for (size_t i = 0; i < search->step.n_top; i++)
        total +=
            exp((search->pool[search->step.top[i]].score - most) / temperature);
    double at = rng_double(&search->step.rng) * total;
    for (size_t i = 0; i + 1 < search->step.n_top; i++) {
        at -=
            exp((search->pool[search->step.top[i]].score - most) / temperature);
        if (at < 0)
            return search->step.top[i];
    }
    return search->step.top[search->step.n_top - 1];
}
