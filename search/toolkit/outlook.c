#include "search/toolkit/outlook.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Deviations of the effects, as shares of the deviation of a single score.
static const double CHOICE = 0.25;
static const double SLOPE = 0.15; // per doubling of the demos or sentences
static const double VOICE = 0.4;  // of a sentence, on its rows
static const double PAIR = 0.12;
static const double ROW = 0.6;
static const double NOISE = 0.8;
static const double FREE = 4; // of what all share: unconstrained

// When few scores are known:
static const double SHOWN = 0.8;      // of any demos
static const double FEW_SLOPE = 0.05; // per doubling of the demos

static const double INHERITED = 0.8; // share of a parent's worth

// More distant ancestors add next to nothing.
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
    corpus_release(&outlook->corpus);
    for (size_t p = 0; outlook->sayings != NULL && p < outlook->space->n_parts;
         p++)
        sayings_release(&outlook->sayings[p]);
    free(outlook->columns);
    free(outlook->sayings);
    free(outlook->voices);
    free(outlook->terms);
    *outlook = (struct outlook){0};
}

// --- terms

// Returns the effect of the number of demos, or sentences, that a predictor
// shows. It follows the effects of the predictor's sets, or texts.
static size_t slope_of(const struct outlook *outlook, size_t at)
{
    return outlook->columns[at] + space_count(outlook->space, at);
}

// Assigns each choice its effect. Returns the number of effects.
static size_t lay_out(struct outlook *outlook)
{
    const struct space *space = outlook->space;
    size_t n = 1;

    for (size_t at = 0; at < space->n_choices; at++) {
        outlook->columns[at] = n;
        n += space_count(space, at) + 1;
    }
    outlook->shown = n;
    n += space->n_parts;
    outlook->pairs = n;
    n += outlook->board->n;
    for (size_t p = 0; p < space->n_parts; p++) {
        outlook->voices[p] = n;
        n += outlook->sayings[p].n;
    }
    return n;
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
    size_t n = 2 + space->n_choices * (FOREBEARS + 1) + 3 * space->n_parts;

    for (size_t p = 0; p < space->n_parts; p++)
        n += space->parts[p].n_sayings;
    return n;
}

// Returns the index of the entry with these choices, or board->n.
static size_t entry_of(const struct outlook *outlook, const int *choices)
{
    const struct board *board = outlook->board;
    size_t i = 0;

    while (i < board->n && memcmp(board->entries[i]->choices, choices,
                                  board->n_choices * sizeof *choices) != 0)
        i++;
    return i;
}

// Returns the demos of a part. For a combination that was tried, counts only
// those that its prompt had room for.
static size_t count_demos(const struct outlook *outlook, const int *choices,
                          size_t entry, size_t part)
{
    int set = choices[space_at_demos(part)];

    if (entry < outlook->board->n)
        return candidate_part_n_shown(
            &outlook->board->entries[entry]->candidate->parts[part]);
    return demo_list_shows(&outlook->space->parts[part].sets[set].list);
}

static const size_t ANY_ROW = SIZE_MAX;

// Adds the sentences that a text holds, as far as the row at `place` is
// concerned.
static size_t put_sayings(const struct outlook *outlook, size_t part,
                          size_t text, size_t place, struct effect_term *out)
{
    const struct sayings *sayings = &outlook->sayings[part];
    size_t n = 0;

    for (size_t i = 0; i < sayings->n; i++) {
        double share = place == ANY_ROW
                           ? sayings->share[i]
                           : sayings->about[i * sayings->n_rows + place];

        if (sayings->held[text * sayings->n + i] && share > 0)
            out[n++] = (struct effect_term){outlook->voices[part] + i, share};
    }
    out[n++] = (struct effect_term){slope_of(outlook, space_at_text(part)),
                                    place == ANY_ROW
                                        ? sayings->voices[text]
                                        : sayings_voices(sayings, text, place)};
    return n;
}

// Writes the terms to outlook->terms and returns their number. `place` is a
// place on the board, or ANY_ROW.
static size_t put_terms(const struct outlook *outlook, const int *choices,
                        size_t entry, size_t place)
{
    struct effect_term *out = outlook->terms;
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

        out[n++] = (struct effect_term){slope_of(outlook, space_at_demos(p)),
                                        log2(1 + demos)};
        if (outlook->few && demos > 0)
            out[n++] = (struct effect_term){outlook->shown + p, 1};
        n += put_sayings(outlook, p, (size_t)choices[space_at_text(p)], place,
                         out + n);
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
        deviations[i] = outlook->deviation *
                        (i == 0                                   ? FREE
                         : i < outlook->pairs                     ? CHOICE
                         : i < outlook->pairs + outlook->board->n ? PAIR
                                                                  : VOICE);
    for (size_t at = 0; at < 2 * outlook->space->n_parts; at++)
        deviations[slope_of(outlook, at)] = SLOPE * outlook->deviation;
    for (size_t p = 0; outlook->few && p < outlook->space->n_parts; p++) {
        deviations[slope_of(outlook, space_at_demos(p))] =
            FEW_SLOPE * outlook->deviation;
        deviations[outlook->shown + p] = SHOWN * outlook->deviation;
    }
}

// Returns the score to learn from: the probability of the right label says more
// than whether it came out on top, but is not the whole truth either.
static double softened(const struct entry *entry, size_t place, double soft)
{
    double score = entry->scores[place];

    if (entry->likely[place] < 0)
        return score;
    return (1 - soft) * score + soft * entry->likely[place];
}

static bool add_entry(struct outlook *outlook, size_t index, double soft,
                      struct err *err)
{
    const struct entry *entry = outlook->board->entries[index];

    for (size_t i = 0; i < outlook->board->n_rows; i++) {
        size_t n;

        if (!entry->known[i])
            continue;
        n = put_terms(outlook, entry->choices, index, i);
        if (!effects_add(outlook->effects, outlook->terms, n, i,
                         softened(entry, i, soft), err))
            return false;
    }
    return true;
}

// Reads the board's rows, once. They need not be rows that the search learns
// from.
static bool read_rows(struct outlook *outlook, struct err *err)
{
    const struct board *board = outlook->board;
    const struct row_span rows = {board->rows, board->n_rows};

    return outlook->corpus.lexicon != NULL ||
           corpus_init(&outlook->corpus, board->session, rows, err);
}

// Reads the space again, since it may have grown.
static bool read_space(struct outlook *outlook, struct err *err)
{
    const struct space *space = outlook->space;
    bool ok;

    if (outlook->columns == NULL)
        outlook->columns =
            calloc(space->n_choices + 1, sizeof *outlook->columns);
    if (outlook->sayings == NULL)
        outlook->sayings = calloc(space->n_parts + 1, sizeof *outlook->sayings);
    if (outlook->voices == NULL)
        outlook->voices = calloc(space->n_parts + 1, sizeof *outlook->voices);
    free(outlook->terms);
    outlook->terms = calloc(most_terms(space), sizeof *outlook->terms);
    ok = outlook->columns != NULL && outlook->sayings != NULL &&
         outlook->voices != NULL && outlook->terms != NULL;
    if (!ok)
        err_nomem(err, "a model of the scores");
    for (size_t p = 0; ok && p < space->n_parts; p++)
        ok =
            sayings_read(&outlook->sayings[p], space, &outlook->corpus, p, err);
    return ok;
}

bool outlook_learn(struct outlook *outlook, double soft, struct err *err)
{
    double *deviations = NULL;
    bool ok = read_rows(outlook, err) && read_space(outlook, err);
    size_t n = ok ? lay_out(outlook) : 0;

    if (!ok)
        return false;
    deviations = calloc(n, sizeof *deviations);
    if (deviations == NULL) {
        err_nomem(err, "a model of the scores");
        return false;
    }
    set_deviations(outlook, n, deviations);
    effects_free(outlook->effects);
    outlook->effects = effects_new(deviations, n, NOISE * outlook->deviation,
                                   ROW * outlook->deviation, err);
    ok = outlook->effects != NULL;
    for (size_t i = 0; ok && i < outlook->board->n; i++)
        ok = add_entry(outlook, i, soft, err);
    if (ok)
        effects_solve(outlook->effects);
    free(deviations);
    return ok;
}

struct effect_guess outlook_guess(const struct outlook *outlook,
                                  const int *choices)
{
    size_t entry = entry_of(outlook, choices);
    size_t n = put_terms(outlook, choices, entry, ANY_ROW);
    struct effect_guess guess =
        effects_guess(outlook->effects, outlook->terms, n);
    double pair = PAIR * outlook->deviation;

    if (entry == outlook->board->n)
        guess.deviation = sqrt(guess.deviation * guess.deviation + pair * pair);
    return guess;
}

struct effect_guess outlook_saying(const struct outlook *outlook, size_t part,
                                   size_t saying)
{
    const struct effect_term term = {outlook->voices[part] + saying, 1};

    return effects_guess(outlook->effects, &term, 1);
}
