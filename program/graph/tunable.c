#include "program/graph/tunable.h"

#include <assert.h>
#include <string.h>

#include "program/graph/plan.h"

const struct tunable *tunables_find(const struct tunables *tunables,
                                    const char *name)
{
    for (size_t i = 0; i < tunables->n; i++)
        if (strcmp(tunables->items[i].name, name) == 0)
            return &tunables->items[i];
    return NULL;
}

size_t tunables_searched(const struct tunables *tunables,
                         const struct plan *plan,
                         const struct tunable *out[TUNABLES_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < tunables->n; i++) {
        const struct tunable *one = &tunables->items[i];

        if (one->n_choices > 1 && (one->step < 0 || plan->runs[one->step]))
            out[n++] = one;
    }
    return n;
}

void tunables_release(struct tunables *tunables)
{
    for (size_t i = 0; i < tunables->n; i++)
        for (size_t j = 0; j < tunables->items[i].n_choices; j++)
            json_decref((json_t *)tunables->items[i].choices[j]);
    tunables->n = 0;
}

static bool cut_demos(struct candidate *candidate, const json_t *most,
                      struct err *err)
{
    size_t n = (size_t)json_integer_value(most);

    for (size_t p = 0; p < candidate->n_parts; p++) {
        const struct candidate_part *part = &candidate->parts[p];

        if (candidate_part_n_shown(part) <= n)
            continue;
        if (part->nearest > 0 && n > 0)
            candidate_set_nearest(candidate, p, n);
        else if (!candidate_set_demos(candidate, p, part->demo_set_no,
                                      part->demos, n, err))
            return false;
    }
    return true;
}

size_t tunable_nth(const struct tunable *tunable, size_t n)
{
    if (n == 0)
        return tunable->default_index;
    return n <= tunable->default_index ? n - 1 : n;
}

size_t tunable_place(const struct tunable *tunable, size_t choice)
{
    if (choice == tunable->default_index)
        return 0;
    return choice < tunable->default_index ? choice + 1 : choice;
}

bool tunable_set(const struct tunable *tunable, struct candidate *candidate,
                 size_t choice, struct err *err)
{
    assert(choice < tunable->n_choices);

    const json_t *value = tunable->choices[choice];

    if (tunable->counts_demos)
        return cut_demos(candidate, value, err);
    return candidate_set_value(candidate, tunable->name,
                               choice == tunable->default_index ? NULL : value,
                               err);
}

static size_t most_demos(const struct candidate *candidate)
{
    size_t most = 0;

    for (size_t p = 0; p < candidate->n_parts; p++)
        if (candidate_part_n_shown(&candidate->parts[p]) > most)
            most = candidate_part_n_shown(&candidate->parts[p]);
    return most;
}

// Returns the smallest choice that is at least the number of demos shown, or
// the largest choice if more demos are shown than any choice allows.
static size_t get_count(const struct tunable *tunable,
                        const struct candidate *candidate)
{
    json_int_t shown = (json_int_t)most_demos(candidate);
    json_int_t best = -1;
    size_t found = tunable->default_index;

    for (size_t i = 0; i < tunable->n_choices; i++) {
        json_int_t one = json_integer_value(tunable->choices[i]);
        bool fits = one >= shown;
        bool better = best < 0 || (best < shown && one > best) ||
                      (best >= shown && fits && one < best);

        if (!better)
            continue;
        best = one;
        found = i;
    }
    return found;
}

size_t tunable_get(const struct tunable *tunable,
                   const struct candidate *candidate)
{
    size_t found = tunable->default_index;
    json_t *tuned = NULL;
    const json_t *value = NULL;

    if (tunable->counts_demos)
        return get_count(tunable, candidate);
    tuned = candidate_tuned(candidate);
    value = json_object_get(tuned, tunable->name);
    for (size_t i = 0; value != NULL && i < tunable->n_choices; i++)
        if (json_equal(value, tunable->choices[i]))
            found = i;
    json_decref(tuned);
    return found;
}
