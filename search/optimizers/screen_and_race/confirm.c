#include "search/optimizers/screen_and_race/confirm.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "search/optimizers/screen_and_race/choice.h"
#include "search/toolkit/race.h"

enum {
    FINALISTS = 3,
    NOISE_ROWS = 16, // that show whether the model's answers vary
    FRESH_DRAW = 1,  // number of the finalists' second draw
};

// Scores the rest of the baseline. A part of it is enough to search with, so
// that a small budget is not used up before the search begins.
static bool complete_baseline(struct search *search, struct err *err)
{
    struct board *board = &search->board;
    size_t *places = calloc(board->n_rows + 1, sizeof *places);
    bool ok = places != NULL;

    if (!ok)
        search_nomem(err);
    for (size_t i = 0; ok && i < board->n_rows; i++)
        places[i] = i;
    ok = ok &&
         board_ask(board, search->baseline, places, board->n_rows, TRIAL_FULL,
                   "the program as written, on the rest", err) &&
         board_wait(board, err);
    free(places);
    if (ok)
        session_set_baseline(search->session, search->baseline->trial);
    return ok;
}

// Returns the rows that the entry was scored on, the first `most` of them. The
// caller frees the list.
static size_t *list_rows(const struct search *search, const struct entry *entry,
                         size_t most, size_t *n, struct err *err)
{
    size_t *rows = calloc(search->board.n_rows + 1, sizeof *rows);

    *n = 0;
    if (rows == NULL)
        search_nomem(err);
    for (size_t i = 0; rows != NULL && i < search->board.n_rows; i++)
        if (entry->known[i] && *n < most)
            rows[(*n)++] = search->board.rows[i];
    return rows;
}

// Draws the entry's answers once more. Returns NULL on failure.
static struct trial *draw_again(struct search *search, struct entry *entry,
                                size_t most, struct err *err)
{
    size_t n = 0;
    size_t *rows = list_rows(search, entry, most, &n, err);
    struct trial *again = NULL;

    if (rows != NULL)
        again = session_redraw(search->session, entry->candidate,
                               (struct row_span){rows, n}, FRESH_DRAW, err);
    free(rows);
    return again;
}

// Measures how much a score on all rows varies by chance, from a few rows drawn
// twice: the deviation of a mean over all rows. It is 0 for a model that
// answers alike.
static bool measure_noise(struct search *search, struct entry *entry,
                          struct err *err)
{
    const struct trial *again = draw_again(search, entry, NOISE_ROWS, err);
    double squares = 0;
    size_t n = 0;

    if (again == NULL)
        return false;
    for (size_t i = 0; i < search->board.n_rows; i++)
        for (size_t k = 0; k < again->n_rows && entry->known[i]; k++) {
            double moved = again->scores[k] - entry->scores[i];

            if (again->rows[k] != search->board.rows[i] || !again->scored[k])
                continue;
            squares += moved * moved / 2;
            n++;
        }
    search->noise = n == 0 || entry->n == 0
                        ? 0
                        : sqrt(squares / (double)n / (double)entry->n);
    return true;
}

// If the model's answers vary, the finalists' scores are partly luck, and the
// finalists were chosen by them. So they and the baseline get fresh answers to
// all their rows.
static bool draw_all_again(struct search *search, const struct racer *racers,
                           size_t n, struct err *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i <= n; i++) {
        struct entry *entry = i < n ? racers[i].entry : search->baseline;
        const struct trial *again = NULL;

        if (i < n && entry == search->baseline)
            continue;
        again = draw_again(search, entry, SIZE_MAX, err);
        ok = again != NULL;
        if (ok)
            board_add_draw(&search->board, entry, again);
    }
    if (ok) // of a mean of two draws
        search->noise /= sqrt(2);
    return ok;
}

// Forecasts the rows that the finalists still lack, and some rows once more.
static void forecast_end(const struct search *search,
                         const struct racer *racers, size_t n)
{
    size_t left = NOISE_ROWS;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < search->board.n_rows; k++)
            left += !racers[i].entry->known[k] && !racers[i].entry->closed[k];
    session_expect(search->session, (struct effort){.examples = left});
}

// Forecasts all rows of all finalists and of the baseline once more.
static void forecast_draws(const struct search *search,
                           const struct racer *racers, size_t n)
{
    size_t left = search->baseline->n;

    for (size_t i = 0; i < n; i++)
        if (racers[i].entry != search->baseline)
            left += racers[i].entry->n;
    session_expect(search->session, (struct effort){.examples = left});
}

bool confirm_best(struct search *search, struct err *err)
{
    struct racer *racers = calloc(search->board.n + 1, sizeof *racers);
    size_t n = 0;
    bool ok = racers != NULL;

    if (!ok)
        return search_nomem(err);
    session_phase(search->session, "confirm");
    ok = complete_baseline(search, err) &&
         outlook_learn(&search->outlook, SEARCH_TIES, err);
    if (ok)
        n = race_rank(&search->outlook, CHOICE_CAUTION, racers);
    n = n < FINALISTS ? n : FINALISTS;
    forecast_end(search, racers, n);
    ok = ok && race_block(&search->outlook, racers, n, search->board.n_rows,
                          SEARCH_TIES, "confirm", err);
    ok = ok && (n == 0 || measure_noise(search, racers[0].entry, err));
    if (ok && search->noise > 0) {
        forecast_draws(search, racers, n);
        ok = draw_all_again(search, racers, n, err);
    }
    free(racers);
    return ok;
}
