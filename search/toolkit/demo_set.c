#include "search/toolkit/demo_set.h"

#include <stdlib.h>

void demo_array_free(struct demo *demos, size_t n)
{
    for (size_t i = 0; demos != NULL && i < n; i++)
        json_decref(demos[i].fields);
    free(demos);
}

void demo_set_release(struct demo_set *set)
{
    for (size_t i = 0; set->lists != NULL && i < set->n_lists; i++)
        demo_array_free(set->lists[i].demos, set->lists[i].n);
    free(set->lists);
    *set = (struct demo_set){0};
}

bool demo_set_init(struct demo_set *set, const struct program *program,
                   struct err *err)
{
    *set = (struct demo_set){.n_lists = program->n_predictors};
    set->lists = calloc(program->n_predictors, sizeof *set->lists);
    if (set->lists == NULL)
        err_nomem(err, "a demo set");
    return set->lists != NULL;
}

size_t demo_set_count(const struct demo_set *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n_lists; i++)
        n += set->lists[i].n;
    return n;
}

bool demo_list_apply(const struct demo_list *list, int no,
                     struct candidate *candidate, size_t part, struct err *err)
{
    if (!candidate_set_demos(candidate, part, no, list->demos, list->n, err))
        return false;
    candidate_set_nearest(candidate, part, list->n > 0 ? list->nearest : 0);
    return true;
}

size_t demo_list_shows(const struct demo_list *list)
{
    return list->nearest > 0 && list->nearest < list->n ? list->nearest
                                                        : list->n;
}

bool demo_set_apply(const struct demo_set *set, int no,
                    struct candidate *candidate, struct err *err)
{
    for (size_t i = 0; i < set->n_lists; i++) {
        if (!demo_list_apply(&set->lists[i], no, candidate, i, err))
            return false;
    }
    return true;
}

// If the number of demos is tuned, a set starts at its default.
static bool count_default(const struct session *session,
                          struct candidate *candidate, struct err *err)
{
    const struct tunable *count =
        tunables_find(&session_job(session)->tunables, "demos.count");

    return count == NULL ||
           tunable_set(count, candidate, count->default_index, err);
}

struct candidate *demo_set_candidate(const struct demo_set *set, int no,
                                     const struct session *session,
                                     struct err *err)
{
    struct candidate *candidate =
        candidate_child(session_baseline(session), err);

    if (candidate != NULL && (!demo_set_apply(set, no, candidate, err) ||
                              !count_default(session, candidate, err))) {
        candidate_unref(candidate);
        candidate = NULL;
    }
    if (candidate != NULL)
        candidate_seal(candidate);
    return candidate;
}

bool demo_list_add(struct demo_list *list, const struct demo *demo,
                   struct err *err)
{
    struct demo *more =
        realloc(list->demos, (list->n + 1) * sizeof *list->demos);

    if (more == NULL) {
        err_nomem(err, "a demo set");
        return false;
    }
    list->demos = more;
    list->demos[list->n] = *demo;
    json_incref(demo->fields);
    list->n++;
    return true;
}
