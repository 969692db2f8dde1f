#include "search/toolkit/race.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int compare_racers(const void *a, const void *b)
{
    const struct racer *x = a;
    const struct racer *y = b;

    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->no > y->no) - (x->no < y->no);
}

size_t race_rank(const struct outlook *outlook, double hope,
                 struct racer *racers)
{
    const struct board *board = outlook->board;
    size_t n = 0;

    for (size_t i = 0; i < board->n; i++) {
        struct entry *entry = board->entries[i];
        struct effect_guess guess = outlook_guess(outlook, entry->choices);

        if (entry->n > 0)
            racers[n++] =
                (struct racer){entry, i, guess.mean + hope * guess.deviation};
    }
    qsort(racers, n, sizeof *racers, compare_racers);
    return n;
}

static bool holds(const struct racer *racers, size_t n,
                  const struct entry *entry)
{
    for (size_t i = 0; i < n; i++)
        if (racers[i].entry == entry)
            return true;
    return false;
}

bool race_block(struct outlook *outlook, const struct racer *racers, size_t n,
                size_t end, double soft, const char *reason, struct err *err)
{
    struct board *board = outlook->board;
    enum trial_kind kind = end == board->n_rows ? TRIAL_FULL : TRIAL_MINIBATCH;
    size_t *places = calloc(end + 1, sizeof *places);
    bool ok = places != NULL;

    if (!ok)
        err_nomem(err, "a race");
    for (size_t i = 0; ok && i < end; i++)
        places[i] = i;
    for (size_t i = 0; ok && i < n; i++)
        ok = board_ask(board, racers[i].entry, places, end, kind, reason, err);
    free(places);
    return ok && board_wait(board, err) && outlook_learn(outlook, soft, err);
}

// Keeps the racers that stay in the race, best first, at most `most` of them.
static bool drop(struct outlook *outlook, const struct race_rules *rules,
                 size_t most, struct racer *racers, size_t *n, struct err *err)
{
    struct racer *ranked = calloc(outlook->board->n + 1, sizeof *ranked);
    size_t all = 0, kept = 0;
    bool ok = ranked != NULL;

    if (!ok)
        err_nomem(err, "a race");
    else
        all = race_rank(outlook, 0, ranked);
    for (size_t i = 0; ok && i < all && kept < most; i++) {
        struct board_pairs pairs = {.p_value = 1};

        if (!holds(racers, *n, ranked[i].entry))
            continue;
        ok = kept == 0 || board_compare(outlook->board, ranked[i].entry,
                                        ranked[0].entry, &pairs, err);
        if (kept == 0 || pairs.p_value >= rules->worse)
            ranked[kept++] = ranked[i];
    }
    if (ok) {
        memcpy(racers, ranked, kept * sizeof *racers);
        *n = kept;
    }
    free(ranked);
    return ok;
}

bool race_run(struct outlook *outlook, const struct race_rules *rules,
              struct entry *holder, struct entry **winner, struct err *err)
{
    static const size_t ends[] = {8, 16, 32, 64, SIZE_MAX};
    static const size_t stay[] = {4, 3, 2, 1, 1};
    size_t rows = outlook->board->n_rows;
    size_t end = 0;
    struct racer *racers =
        calloc(outlook->board->n + rules->racers + 1, sizeof *racers);
    size_t n;
    bool ok = racers != NULL;

    if (!ok) {
        err_nomem(err, "a race");
        return false;
    }
    n = race_rank(outlook, 1, racers);
    n = n < rules->racers ? n : rules->racers;
    if (!holds(racers, n, holder))
        racers[n > 0 ? n - 1 : n++].entry = holder;
    for (size_t b = 0; ok && n > 1 && end < rows; b++) {
        end = ends[b] < rows ? ends[b] : rows;
        ok = race_block(outlook, racers, n, end, rules->soft, "race", err) &&
             drop(outlook, rules, stay[b], racers, &n, err);
    }
    *winner = racers[0].entry;
    free(racers);
    return ok;
}
