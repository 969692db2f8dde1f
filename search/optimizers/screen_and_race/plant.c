#include "search/optimizers/screen_and_race/plant.h"

#include <stdlib.h>

// Adds what the program of an earlier run has in a step to the space.
static bool plant_part(struct search *search, size_t part,
                       const struct candidate *seed, int *choices,
                       struct err *err)
{
    const struct candidate_part *from = &seed->parts[part];
    const struct demo_list list = {
        .demos = from->demos, .n = from->n_demos, .nearest = from->nearest};

    return space_add_text(&search->space, part, from->instruction,
                          "of an earlier run", SPACE_ORPHAN,
                          &choices[space_at_text(part)], err) &&
           space_add_demos(&search->space, part, &list, "of an earlier run",
                           SPACE_ORPHAN, &choices[space_at_demos(part)], err);
}

static void plant_tunables(const struct space *space,
                           const struct candidate *seed, int *choices)
{
    for (size_t i = 0; i < space->n_tunables; i++) {
        const struct tunable *tunable = space->tunables[i];

        choices[space_at_tunable(space, i)] =
            (int)tunable_place(tunable, tunable_get(tunable, seed));
    }
}

bool plant_earlier(struct search *search, struct err *err)
{
    struct trial *seed = session_seed_trial(search->session);
    int *choices;
    struct entry *entry = NULL;
    bool ok;

    if (seed == NULL)
        return true;
    choices = calloc(search->space.n_choices + 1, sizeof *choices);
    ok = choices != NULL;
    if (!ok)
        err_nomem(err, "a search");
    for (size_t p = 0; ok && p < search->space.n_parts; p++)
        ok = plant_part(search, p, seed->candidate, choices, err);
    if (ok) {
        plant_tunables(&search->space, seed->candidate, choices);
        entry = board_enter(&search->board, seed->candidate, choices, err);
    }
    free(choices);
    if (entry == NULL)
        return false;
    board_read(&search->board, entry, seed);
    if (session_best(search->session) == seed)
        search->leader = entry;
    return true;
}
