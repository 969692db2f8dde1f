#include "search/toolkit/combos.h"

#include <stdlib.h>
#include <string.h>

static bool searched(const struct combos *combos, size_t predictor)
{
    const struct program *program = session_job(combos->session)->program;
    return session_plan(combos->session)->runs[program->predictors[predictor]];
}

bool combos_init(struct combos *combos, struct session *session,
                 const struct proposals *proposals, const struct demo_set *sets,
                 size_t n_sets, struct err *err)
{
    *combos = (struct combos){.session = session,
                              .proposals = proposals,
                              .sets = sets,
                              .n_sets = n_sets};
    combos->n_choices = calloc(proposals->n_lists * 2 + TUNABLES_MAX + 1,
                               sizeof *combos->n_choices);
    if (combos->n_choices == NULL) {
        err_nomem(err, "a search space");
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < proposals->n_lists; i++) {
        if (!searched(combos, i))
            continue;
        if (sets != NULL)
            combos->n_choices[n++] = (int)n_sets;
        combos->n_choices[n++] = (int)proposals->lists[i].n;
    }
    combos->n_tunables =
        tunables_searched(&session_job(session)->tunables,
                          session_plan(session), combos->tunables);
    for (size_t i = 0; i < combos->n_tunables; i++)
        combos->n_choices[n++] = (int)combos->tunables[i]->n_choices;
    combos->space = (struct tpe_space){combos->n_choices, n};
    return true;
}

static void free_combo(struct combo *combo)
{
    if (combo == NULL)
        return;
    candidate_unref(combo->candidate);
    free(combo->choices);
    free(combo);
}

void combos_release(struct combos *combos)
{
    for (size_t i = 0; i < combos->n; i++)
        free_combo(combos->items[i]);
    free(combos->items);
    free(combos->n_choices);
    *combos = (struct combos){0};
}

// Gives one predictor what the choices from *at on select.
static bool apply(const struct combos *combos, size_t predictor,
                  const int *choices, size_t *at, struct candidate *candidate,
                  struct err *err)
{
    const struct instruction_list *texts = &combos->proposals->lists[predictor];

    if (combos->sets != NULL) {
        int no = choices[(*at)++];
        const struct demo_list *list = &combos->sets[no].lists[predictor];
        if (!demo_list_apply(list, no, candidate, predictor, err))
            return false;
    }
    int no = choices[(*at)++];
    return candidate_set_instruction(candidate, predictor, no, texts->texts[no],
                                     err);
}

static bool tune(const struct combos *combos, const int *choices, size_t at,
                 struct candidate *candidate, struct err *err)
{
    for (size_t i = 0; i < combos->n_tunables; i++) {
        const struct tunable *tunable = combos->tunables[i];

        if (!tunable_set(tunable, candidate,
                         tunable_nth(tunable, (size_t)choices[at + i]), err))
            return false;
    }
    return true;
}

static struct candidate *build(const struct combos *combos, const int *choices,
                               struct err *err)
{
    struct candidate *candidate =
        candidate_child(session_baseline(combos->session), err);
    size_t at = 0;

    for (size_t i = 0; candidate != NULL && i < combos->proposals->n_lists;
         i++) {
        if (!searched(combos, i) ||
            apply(combos, i, choices, &at, candidate, err))
            continue;
        candidate_unref(candidate);
        candidate = NULL;
    }
    if (candidate != NULL && !tune(combos, choices, at, candidate, err)) {
        candidate_unref(candidate);
        candidate = NULL;
    }
    if (candidate != NULL)
        candidate_seal(candidate);
    return candidate;
}

static struct combo *find(const struct combos *combos,
                          const struct candidate *candidate)
{
    for (size_t i = 0; i < combos->n; i++) {
        if (hash_equal(&combos->items[i]->candidate->id, &candidate->id))
            return combos->items[i];
    }
    return NULL;
}

// Adds a combo and takes over candidate.
static struct combo *add(struct combos *combos, struct candidate *candidate,
                         const int *choices, struct err *err)
{
    size_t size = (combos->space.n + 1) * sizeof *choices;
    struct combo *combo = calloc(1, sizeof *combo);
    struct combo **more =
        realloc(combos->items, (combos->n + 1) * sizeof(struct combo *));

    if (more != NULL)
        combos->items = more;
    if (combo != NULL)
        combo->choices = calloc(1, size);
    if (combo == NULL || more == NULL || combo->choices == NULL) {
        err_nomem(err, "a combination");
        free_combo(combo);
        return NULL;
    }
    memcpy(combo->choices, choices, combos->space.n * sizeof *choices);
    combo->candidate = candidate;
    combos->items[combos->n++] = combo;
    return combo;
}

struct combo *combos_get(struct combos *combos, const int *choices,
                         struct err *err)
{
    struct candidate *candidate = build(combos, choices, err);

    if (candidate == NULL)
        return NULL;
    struct combo *combo = find(combos, candidate);
    if (combo == NULL) {
        combo = add(combos, candidate, choices, err);
        if (combo != NULL)
            return combo;
    }
    candidate_unref(candidate);
    return combo;
}

struct combo *combos_next_full(const struct combos *combos)
{
    struct combo *best = NULL;

    for (size_t i = 0; i < combos->n; i++) {
        struct combo *combo = combos->items[i];
        if (combo->full || combo->n == 0)
            continue;
        if (best == NULL ||
            combo->sum / (double)combo->n > best->sum / (double)best->n)
            best = combo;
    }
    return best;
}
