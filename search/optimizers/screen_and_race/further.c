#include "search/optimizers/screen_and_race/further.h"

#include <stddef.h>

enum {
    FURTHER_ROWS = 64,
    FURTHER_LEAST = 4, // fewer are not worth a trial
};

// What both scored on the same rows; NULL: not scored.
struct both {
    struct trial *baseline, *other;
};

static bool score(struct search *search, struct candidate *candidate,
                  struct row_span rows, struct trial **trial, struct err *err)
{
    *trial = session_score(search->session, candidate,
                           session_plan(search->session), rows, err);
    return *trial != NULL;
}

// Scores both on n training rows, or on three quarters of them and so on, as
// the budget allows. The baseline comes first, since its calls were usually
// made already. Both results are NULL if the budget is not enough.
static bool score_both(struct search *search, const struct entry *entry,
                       size_t n, struct both *out, struct err *err)
{
    struct row_span rows = {search->study.rows, n};
    bool ok = false;

    for (; !ok && rows.n >= FURTHER_LEAST; rows.n -= rows.n / 4) {
        ok = score(search, search->baseline->candidate, rows, &out->baseline,
                   err) &&
             score(search, entry->candidate, rows, &out->other, err);
        if (!ok && err->code != ERR_BUDGET)
            return false;
        if (!ok)
            *err = ERR_CLEAR;
    }
    if (!ok)
        *out = (struct both){0};
    return true;
}

bool further_compare(struct search *search, const struct entry *entry,
                     struct board_pairs *pairs, struct err *err)
{
    const struct study *study = &search->study;
    size_t n = study->n < FURTHER_ROWS ? study->n : FURTHER_ROWS;
    struct both both = {0};

    if (session_split(search->session)->shared)
        return true;
    session_phase(search->session, "training rows");
    session_expect(search->session, (struct effort){.examples = 2 * n});
    if (!score_both(search, entry, n, &both, err))
        return false;
    if (both.other == NULL)
        return true;
    if (!board_compare_with(&search->board, search->baseline, entry,
                            both.baseline, both.other, pairs, err))
        return false;
    session_note(search->session,
                 "the validation rows cannot tell which is better; with "
                 "%zu training rows the gain is %.1f points (p = %.2g)",
                 both.other->n, 100 * pairs->gain, pairs->p_value);
    return true;
}
