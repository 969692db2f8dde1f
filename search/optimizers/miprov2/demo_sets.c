#include "search/optimizers/miprov2/demo_sets.h"

#include <stdlib.h>
#include <string.h>

enum { SET_EMPTY = 0, SET_LABELED = 1, SET_IN_ORDER = 2 };

// The set being made. Everything is borrowed.
struct making {
    struct session *session;
    const struct extent *extent;
    struct demo_maker *maker;
    size_t *order; // room for the training rows
    size_t n;      // number of training rows
};

// Makes the pool for the i-th number of demos that the job allows per question.
static bool make_pool(const struct making *making, int64_t i, struct rng *rng,
                      struct demo_set *out, struct err *err)
{
    const size_t *rows = session_split(making->session)->rows[SHARE_TRAIN];

    return demos_pool(making->maker, &making->extent->recipe,
                      &(struct demo_rows){rows, making->n, rng},
                      (size_t)session_job(making->session)->nearest[i], out,
                      err);
}

static bool make_set(const struct making *making, int64_t index,
                     struct demo_set *out, struct err *err)
{
    struct session *session = making->session;
    struct rng rng = session_rng(session, "demo-sets", (uint64_t)index);
    struct demo_recipe recipe = making->extent->recipe;
    const struct demo_rows from = {making->order, making->n, &rng};

    if (index >= making->extent->n_sets)
        return make_pool(making, index - making->extent->n_sets, &rng, out,
                         err);
    if (index == SET_EMPTY)
        return demo_set_init(out, session_job(session)->program, err);
    memcpy(making->order, session_split(session)->rows[SHARE_TRAIN],
           making->n * sizeof *making->order);
    if (recipe.max_bootstrapped == 0 ||
        (index == SET_LABELED && recipe.max_labeled > 0))
        return demos_labeled(making->maker, &from, recipe.max_labeled, out,
                             err);
    if (index != SET_IN_ORDER) {
        rng_shuffle(&rng, making->order, making->n);
        recipe.max_bootstrapped =
            1 + (int64_t)rng_below(&rng, (uint64_t)recipe.max_bootstrapped);
    }
    return demos_bootstrap(making->maker, &recipe, &from, out, err);
}

bool demo_sets_make(struct demo_sets *sets, struct session *session,
                    const struct extent *extent, struct err *err)
{
    size_t n_train = session_split(session)->n[SHARE_TRAIN];
    size_t n = (size_t)(extent->n_sets + extent->n_pools);
    size_t *order = calloc(n_train + 1, sizeof *order);

    *sets = (struct demo_sets){.items = calloc(n, sizeof *sets->items), .n = n};
    bool ok = order != NULL && sets->items != NULL;
    if (!ok)
        err_nomem(err, "demo sets");
    else
        sets->maker = demo_maker_new(session, NULL, session_plan(session), err);
    const struct making making = {session, extent, sets->maker, order, n_train};
    session_phase(session, "demos");
    ok = sets->maker != NULL;
    for (size_t i = 0; ok && i < n; i++)
        ok = make_set(&making, (int64_t)i, &sets->items[i], err);
    free(order);
    return ok;
}

void demo_sets_release(struct demo_sets *sets)
{
    for (size_t i = 0; sets->items != NULL && i < sets->n; i++)
        demo_set_release(&sets->items[i]);
    free(sets->items);
    demo_maker_free(sets->maker);
    *sets = (struct demo_sets){0};
}

bool demo_sets_add(struct demo_sets *sets, const struct program *program,
                   const struct candidate *candidate, struct err *err)
{
    struct demo_set *more = realloc(sets->items, (sets->n + 1) * sizeof *more);

    if (more == NULL) {
        err_nomem(err, "demo sets");
        return false;
    }
    sets->items = more;
    struct demo_set *set = &sets->items[sets->n++];
    bool ok = demo_set_init(set, program, err);
    for (size_t p = 0; ok && p < candidate->n_parts; p++) {
        const struct candidate_part *part = &candidate->parts[p];
        struct demo_list *list = &set->lists[p];

        list->nearest = part->nearest;
        for (size_t i = 0; ok && i < part->n_demos; i++)
            ok = demo_list_add(list, &part->demos[i], err);
    }
    return ok;
}
