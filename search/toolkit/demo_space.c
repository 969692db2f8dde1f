#include "search/toolkit/demo_space.h"

#include <stdlib.h>

#include "common/rng.h"
#include "search/toolkit/cover.h"

enum { FREE_ENOUGH = 8 }; // demos without a call that make a set

// The rows of a planned set, and its origin.
struct rows_of_set {
    const size_t *places;
    size_t n;
    size_t nearest; // for a pool: how many demos a prompt shows
    const char *kind;
    int parent;
};

// Makes a set from the demos of the rows. number may be NULL.
static bool add_set(struct space *space, struct study *study, size_t part,
                    const struct rows_of_set *rows, int *number,
                    struct err *err)
{
    struct demo_list list = {.nearest = rows->nearest};
    bool ok = bank_fill(study->bank, part, rows->places, rows->n, err);

    for (size_t i = 0; ok && i < rows->n; i++) {
        const struct demo *demo = bank_demo(study->bank, part, rows->places[i]);

        if (demo != NULL)
            ok = demo_list_add(&list, demo, err);
    }
    if (ok && list.n > 0)
        ok = space_add_demos(space, part, &list, rows->kind, rows->parent,
                             number, err);
    for (size_t i = 0; i < list.n; i++)
        json_decref(list.demos[i].fields);
    free(list.demos);
    return ok;
}

static bool is_free(const struct study *study, size_t part, size_t place)
{
    bool asks = false;

    return bank_has(study->bank, part, place, &asks) && !asks;
}

static size_t count_free(const struct study *study, size_t part)
{
    size_t n = 0;

    for (size_t i = 0; i < study->n; i++)
        n += is_free(study, part, i);
    return n;
}

// Returns true if every value that some demo can have is also that of a free
// one.
static bool covers_free(const struct study *study, size_t part,
                        const struct class_field *field)
{
    for (size_t v = 0; v < field->n; v++) {
        bool usable = false, is_there = false;

        for (size_t i = 0; i < study->n; i++) {
            if (field->of_row[i] != (int)v)
                continue;
            usable |= bank_has(study->bank, part, i, NULL);
            is_there |= is_free(study, part, i);
        }
        if (usable && !is_there)
            return false;
    }
    return true;
}

// Decides whether a set avoids rows that the teacher has to be asked for, which
// cost a call. It does if there are enough free rows, with all labels, unless
// the set wants hard rows. Returns the number of free rows, or 0 if the teacher
// may be asked.
static size_t count_spared(const struct study *study, size_t part,
                           enum demo_taste taste)
{
    const struct classes *classes = study->corpus.covers[part];
    size_t n = count_free(study, part);
    bool enough = taste != TASTE_HARD && n >= FREE_ENOUGH;

    for (size_t f = 0; enough && f < classes->n_fields; f++)
        enough = covers_free(study, part, &classes->fields[f]);
    return enough ? n : 0;
}

// Rates what each row is worth to a set of this taste.
static void rate_rows(const struct study *study, size_t part,
                      enum demo_taste taste, bool spares, bool *usable,
                      double *liking)
{
    static const double ASKING = 0.6;

    for (size_t i = 0; i < study->n; i++) {
        bool asks = false;

        usable[i] = bank_has(study->bank, part, i, &asks) && !(asks && spares);
        liking[i] = taste == TASTE_HARD ? study->hard[i] : 0;
        if (asks && taste != TASTE_HARD)
            liking[i] -= ASKING;
    }
}

// Limits the demos of a set that uses only free rows. Free rows are those that
// were run. If they validate too, they are the only rows on which a candidate
// can be compared with others, so at least half of them must not be shown.
static size_t most_spared(const struct study *study, size_t spared, size_t most)
{
    size_t n = session_split(study->session)->shared ? spared / 2 : spared;

    return spared == 0 || most < n ? most : n;
}

bool demo_space_cover(struct space *space, struct study *study, size_t part,
                      const struct demo_wish *wish, struct err *err)
{
    bool by_chance = wish->taste == TASTE_CHANCE;
    bool *usable = calloc(study->n + 1, sizeof *usable);
    double *liking = calloc(study->n + 1, sizeof *liking);
    size_t *places = calloc(wish->most + 1, sizeof *places);
    size_t spared = count_spared(study, part, wish->taste);
    struct rng rng = session_rng(study->session, "cover",
                                 wish->draw * PROGRAM_MAX_STEPS + part);
    const struct cover_recipe recipe = {
        .usable = usable,
        .liking = liking,
        .variety = by_chance ? 0 : 0.6,
        .chance = by_chance ? 1 : 0.3,
        .most = most_spared(study, spared, wish->most),
    };
    bool ok = usable != NULL && liking != NULL && places != NULL;
    struct rows_of_set rows = {
        .places = places, .kind = wish->kind, .parent = SPACE_ORPHAN};

    if (!ok)
        err_nomem(err, "a demo set");
    if (ok)
        rate_rows(study, part, wish->taste, spared > 0, usable, liking);
    ok = ok &&
         cover_pick(study->corpus.covers[part], study->corpus.lexicon, &recipe,
                    &rng, places, &rows.n, err) &&
         add_set(space, study, part, &rows, NULL, err);
    free(places);
    free(liking);
    free(usable);
    return ok;
}

// Returns the places of a set's rows, n of them, in an array that the caller
// frees; NULL when out of memory.
static size_t *places_of(const struct study *study,
                         const struct demo_list *list, size_t *n,
                         struct err *err)
{
    size_t *places = calloc(list->n + 1, sizeof *places);

    *n = 0;
    if (places == NULL)
        err_nomem(err, "a demo set");
    for (size_t i = 0; places != NULL && i < list->n; i++) {
        size_t place = study_place(study, list->demos[i].row);

        if (place < study->n)
            places[(*n)++] = place;
    }
    return places;
}

bool demo_space_reverse(struct space *space, struct study *study, size_t part,
                        int set, struct err *err)
{
    const struct demo_list *list = &space->parts[part].sets[set].list;
    size_t n = 0;
    size_t *places = places_of(study, list, &n, err);
    bool ok = places != NULL;

    for (size_t i = 0; i < n / 2; i++) {
        size_t place = places[i];

        places[i] = places[n - 1 - i];
        places[n - 1 - i] = place;
    }
    if (ok && n > 1)
        ok = add_set(space, study, part,
                     &(struct rows_of_set){places, n, 0, "turned", set}, NULL,
                     err);
    free(places);
    return ok;
}

bool demo_space_pool(struct space *space, struct study *study, size_t part,
                     size_t nearest, struct err *err)
{
    size_t *places = calloc(study->n + 1, sizeof *places);
    size_t n = 0;
    bool ok = places != NULL;

    if (!ok)
        err_nomem(err, "a demo set");
    for (size_t i = 0; ok && i < study->n; i++)
        if (bank_has(study->bank, part, i, NULL))
            places[n++] = i;
    ok = ok && add_set(space, study, part,
                       &(struct rows_of_set){places, n, nearest, "nearest",
                                             SPACE_ORPHAN},
                       NULL, err);
    free(places);
    return ok;
}

bool demo_space_halve(struct space *space, struct study *study, size_t part,
                      int set, int *half, struct err *err)
{
    const struct demo_list *list = &space->parts[part].sets[set].list;
    size_t n = 0;
    size_t *places = places_of(study, list, &n, err);
    bool ok = places != NULL;

    *half = set;
    if (ok && n > 1 && list->nearest == 0)
        ok = add_set(space, study, part,
                     &(struct rows_of_set){places, n / 2, 0, "halved", set},
                     half, err);
    free(places);
    return ok;
}
