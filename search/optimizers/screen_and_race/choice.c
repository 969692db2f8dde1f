#include "search/optimizers/screen_and_race/choice.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "search/optimizers/screen_and_race/further.h"
#include "search/optimizers/screen_and_race/proof.h"

static const double ALIKE = 0.001;       // a smaller difference counts as none
static const double SHIPPED_BELOW = 0.1; // p of a winner against the baseline
static const double FIELD_BELOW = 0.05;  // p of all that was tried, together

// Measures the prompt; a pool counts with as many demos as are shown, at their
// mean length.
static bool measure_prompt(const struct candidate *candidate, size_t *bytes,
                           struct err *err)
{
    struct buf text = BUF_INIT(SIZE_MAX / 2);
    bool ok = true;

    *bytes = 0;
    for (size_t p = 0; ok && p < candidate->n_parts; p++) {
        const struct candidate_part *part = &candidate->parts[p];

        buf_clear(&text);
        for (size_t i = 0; i < part->n_demos; i++)
            json_put(&text, part->demos[i].fields);
        ok = buf_ok(&text, "a prompt", err);
        *bytes += strlen(part->instruction);
        if (part->n_demos > 0)
            *bytes += text.len * candidate_part_n_shown(part) / part->n_demos;
    }
    buf_release(&text);
    return ok;
}

// Returns true if the entry was scored on the same rows as the best and has at
// least its mean.
static bool scores_as_much(const struct board *board, const struct entry *best,
                           const struct entry *other)
{
    double of_best = 0, of_other = 0;

    if (best->n != other->n || best->n == 0)
        return false;
    for (size_t i = 0; i < board->n_rows; i++) {
        if (best->known[i] != other->known[i])
            return false;
        of_best += best->known[i] ? best->scores[i] : 0;
        of_other += best->known[i] ? other->scores[i] : 0;
    }
    return of_other / (double)best->n >= of_best / (double)best->n;
}

// Chooses the entry with the shortest prompt among those as good as the first:
// either worse by less than can be measured, or with the same score.
static bool choose_short(const struct search *search,
                         const struct racer *racers, size_t n,
                         struct entry **best, struct err *err)
{
    double alike = fmax(ALIKE, search->noise);
    size_t shortest = SIZE_MAX;

    for (size_t i = 0; i < n; i++) {
        struct entry *entry = racers[i].entry;
        size_t bytes = 0;

        if (racers[i].value <= racers[0].value - alike &&
            !scores_as_much(&search->board, racers[0].entry, entry))
            continue;
        if (!measure_prompt(entry->candidate, &bytes, err))
            return false;
        if (bytes < shortest)
            *best = entry;
        if (bytes < shortest)
            shortest = bytes;
    }
    return true;
}

// Chooses the best of the entries that a test can tell from the baseline, or
// the baseline if there are none. *rival is the best-looking other entry,
// tested or not, or NULL.
static bool choose_best(struct search *search, struct entry **best,
                        struct entry **rival, struct err *err)
{
    struct racer *racers = calloc(search->board.n + 1, sizeof *racers);
    size_t n = 0, all;
    bool ok = racers != NULL;

    if (!ok)
        return search_nomem(err);
    *best = search->baseline;
    ok = outlook_learn(&search->outlook, SEARCH_TIES, err);
    if (ok) {
        all = race_rank(&search->outlook, CHOICE_CAUTION, racers);
        *rival = proof_best_other(search, racers, all);
        for (size_t i = 0; i < all; i++)
            if (proof_tells(search, racers[i].entry))
                racers[n++] = racers[i];
        ok = choose_short(search, racers, n, best, err);
    }
    free(racers);
    return ok;
}

// Tells whether the mean of everything that was tried is better than the
// baseline.
static bool is_field_better(const struct search *search, bool *better,
                            struct err *err)
{
    struct board_pairs pairs = {0};

    if (!board_compare_others(&search->board, search->baseline, &pairs, err))
        return false;
    *better = pairs.n >= COMPARISON_LEAST && pairs.gain > 0 &&
              pairs.p_value < FIELD_BELOW;
    return true;
}

// Tells whether the best, which is not the baseline, is better than it, by a
// test of the two. If it leads but the test cannot tell, a test of everything
// that was tried decides, of which it is the best, or one that adds further
// rows.
static bool is_better(struct search *search, const struct entry *best,
                      bool *better, struct err *err)
{
    struct board_pairs pairs = {0};

    if (!board_compare(&search->board, search->baseline, best, &pairs, err))
        return false;
    *better = pairs.p_value < SHIPPED_BELOW;
    if (*better || pairs.gain <= 0)
        return true;
    if (!is_field_better(search, better, err) ||
        (!*better && !further_compare(search, best, &pairs, err)))
        return false;
    *better = *better || pairs.p_value < SHIPPED_BELOW;
    return true;
}

// Tells the session why the search ended; the default is that its trials are
// done.
static void tell_finish(const struct search *search, const struct entry *best)
{
    if (search->cut)
        session_set_finish(search->session, "budget");
    else if (search->mute)
        session_set_finish(search->session, "unreadable");
    else if (best != search->baseline && search_is_perfect(search))
        session_set_finish(search->session, "perfect");
    else if (best == search->baseline)
        session_set_finish(search->session, "no_difference");
}

bool choice_make(struct search *search, struct err *err)
{
    struct entry *best = NULL, *rival = NULL;
    bool better = false;

    if (!choose_best(search, &best, &rival, err) ||
        (best != search->baseline && !is_better(search, best, &better, err)))
        return false;
    if (best != search->baseline && !better) {
        rival = best;
        best = search->baseline;
    }
    session_set_baseline(search->session, search->baseline->trial);
    search_set_leader(search, best);
    if (best == search->baseline && rival != NULL)
        session_set_rival(search->session, rival->trial);
    tell_finish(search, best);
    return true;
}
