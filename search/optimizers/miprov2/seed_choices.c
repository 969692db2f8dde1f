#include "search/optimizers/miprov2/seed_choices.h"

#include <stdlib.h>
#include <string.h>

static bool add_text(struct instruction_list *list, const char *instruction,
                     struct err *err)
{
    char *text = strdup(instruction);
    char **more = realloc(list->texts, (list->n + 1) * sizeof *more);

    if (more != NULL)
        list->texts = more;
    if (more == NULL || text == NULL) {
        free(text);
        err_nomem(err, "instructions");
        return false;
    }
    list->texts[list->n++] = text;
    return true;
}

bool seed_choices_add(const struct session *session,
                      const struct candidate *seed, struct proposals *proposals,
                      struct demo_sets *sets, struct err *err)
{
    for (size_t p = 0; p < proposals->n_lists; p++) {
        if (!add_text(&proposals->lists[p], seed->parts[p].instruction, err))
            return false;
    }
    return sets == NULL ||
           demo_sets_add(sets, session_job(session)->program, seed, err);
}

void seed_choices_get(const struct combos *combos, const struct candidate *seed,
                      int *choices)
{
    size_t n_lists = combos->space.n - combos->n_tunables;

    for (size_t i = 0; i < n_lists; i++)
        choices[i] = combos->n_choices[i] - 1;
    for (size_t t = 0; t < combos->n_tunables; t++) {
        const struct tunable *tunable = combos->tunables[t];

        choices[n_lists + t] =
            (int)tunable_place(tunable, tunable_get(tunable, seed));
    }
}
