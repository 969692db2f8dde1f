#include "search/toolkit/outlook.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Deviations of the effects, as shares of that of a single score.
static const double CHOICE = 0.25;
static const double SLOPE = 0.15; // of a doubling of the demos
static const double PAIR = 0.12;
static const double ROW = 0.6;
static const double NOISE = 0.8;
static const double FREE = 4; // of what all share: anything may be

static const double INHERITED = 0.8; // of what a parent is worth

// Forebears beyond these add next to nothing.
enum { FOREBEARS = 6 };

struct outlook outlook_of(const struct space *space, struct board *board,
                          double deviation)
{
    return (struct outlook){
        .space = space, .board = board, .deviation = deviation};
}

void outlook_release(struct outlook *outlook)
{
    effects_free(outlook->effects);
    free(outlook->columns);
    *outlook = (struct outlook){0};
}

// --- terms

// The effect of how many demos a predictor shows stands behind its sets.
static size_t slope_of(const struct outlook *outlook, size_t part)
{
    size_t at = space_at_demos(part);

    return outlook->columns[at] + space_count(outlook->space, at);
}

// Gives each choice its effect. Returns how many there are in all.
static size_t lay_out(struct outlook *outlook)
{
    const struct space *space = outlook->space;
    size_t n = 1;

    for (size_t at = 0; at < space->n_choices; at++) {
        outlook->columns[at] = n;
        n += space_count(space, at) + 1;
    }
    outlook->pairs = n;
    return n + outlook->board->n;
}

static int parent_of(const struct space *space, size_t at, int number)
{
    const struct space_part *part = &space->parts[at / 2];

    if (at >= 2 * space->n_parts)
        return SPACE_ORPHAN;
    return at % 2 == 0 ? part->texts[number].parent : part->sets[number].parent;
}

static size_t most_terms(const struct space *space)
{
    return 2 + space->n_choices * (FOREBEARS + 1);
}

// Index of the entry that was made of these choices; board->n: none.
static size_t entry_of(const struct outlook *outlook, const int *choices)
{
    const struct board *board = outlook->board;
    size_t i = 0;

    while (i < board->n && memcmp(board->entries[i]->choices, choices,
                                  board->n_choices * sizeof *choices) != 0)
        i++;
    return i;
}

// Of one that was tried, the demos that its prompt had room for.
static size_t count_demos(const struct outlook *outlook, const int *choices,
                          size_t entry, size_t part)
{
    int set = choices[space_at_demos(part)];

    if (entry < outlook->board->n)
        return candidate_part_shows(
            &outlook->board->entries[entry]->candidate->parts[part]);
    return demo_list_shows(&outlook->space->parts[part].sets[set].list);
}

// Into out (room for most_terms); returns how many.
static size_t put_terms(const struct outlook *outlook, const int *choices,
                        size_t entry, struct effect_term *out)
{
    const struct space *space = outlook->space;
    size_t n = 0;

    out[n++] = (struct effect_term){0, 1};
    for (size_t at = 0; at < space->n_choices; at++) {
        double value = 1;
        int number = choices[at];

        for (int k = 0; number >= 0 && k < FOREBEARS; k++) {
            out[n++] = (struct effect_term){
                outlook->columns[at] + (size_t)number, value};
            value *= INHERITED;
            number = parent_of(space, at, number);
        }
    }
    for (size_t p = 0; p < space->n_parts; p++) {
        double demos = (double)count_demos(outlook, choices, entry, p);

        out[n++] = (struct effect_term){slope_of(outlook, p), log2(1 + demos)};
    }
    if (entry < outlook->board->n)
        out[n++] = (struct effect_term){outlook->pairs + entry, 1};
    return n;
}

// --- learning

static void set_deviations(const struct outlook *outlook, size_t n,
                           double *deviations)
{
    for (size_t i = 0; i < n; i++)
        deviations[i] = outlook->deviation * (i == 0               ? FREE
                                              : i < outlook->pairs ? CHOICE
                                                                   : PAIR);
    for (size_t p = 0; p < outlook->space->n_parts; p++)
        deviations[slope_of(outlook, p)] = SLOPE * outlook->deviation;
}

// A score as it is learned from: how likely the right label was says more than
// whether it came out on top, and is no whole truth either.
static double softened(const struct entry *entry, size_t place, double soft)
{
    double score = entry->scores[place];

    if (entry->likely[place] < 0)
        return score;
    return (1 - soft) * score + soft * entry->likely[place];
}

static bool add_entry(struct outlook *outlook, size_t index, double soft,
                      struct effect_term *terms, struct err *err)
{
    const struct entry *entry = outlook->board->entries[index];
    size_t n = put_terms(outlook, entry->choices, index, terms);

    for (size_t i = 0; i < outlook->board->n_rows; i++)
        if (entry->known[i] && !effects_add(outlook->effects, terms, n, i,
                                            softened(entry, i, soft), err))
            return false;
    return true;
}

bool outlook_learn(struct outlook *outlook, double soft, struct err *err)
{
    size_t n_choices = outlook->space->n_choices;
    struct effect_term *terms =
        calloc(most_terms(outlook->space), sizeof *terms);
    double *deviations = NULL;
    bool ok = false;
    size_t n;

    if (outlook->columns == NULL)
        outlook->columns = calloc(n_choices + 1, sizeof *outlook->columns);
    if (terms == NULL || outlook->columns == NULL)
        goto nomem;
    n = lay_out(outlook);
    deviations = calloc(n, sizeof *deviations);
    if (deviations == NULL)
        goto nomem;
    set_deviations(outlook, n, deviations);
    effects_free(outlook->effects);
    outlook->effects = effects_new(deviations, n, NOISE * outlook->deviation,
                                   ROW * outlook->deviation, err);
    ok = outlook->effects != NULL;
    for (size_t i = 0; ok && i < outlook->board->n; i++)
        ok = add_entry(outlook, i, soft, terms, err);
    if (ok)
        effects_solve(outlook->effects);
    goto out;

nomem:
    err_nomem(err, "a model of the scores");
out:
    free(deviations);
    free(terms);
    return ok;
}

enum { ALL_TERMS = 2 + 7 * (2 * PROGRAM_MAX_STEPS + TUNABLES_MAX) };

struct effect_guess outlook_guess(const struct outlook *outlook,
                                  const int *choices)
{
    struct effect_term terms[ALL_TERMS];
    size_t entry = entry_of(outlook, choices);
    size_t n = put_terms(outlook, choices, entry, terms);
    struct effect_guess guess = effects_guess(outlook->effects, terms, n);
    double pair = PAIR * outlook->deviation;

    if (entry == outlook->board->n)
        guess.deviation = sqrt(guess.deviation * guess.deviation + pair * pair);
    return guess;
}
