#include "search/optimizers/screen_and_race/proof.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "search/optimizers/screen_and_race/choice.h"
#include "search/optimizers/screen_and_race/screen.h"

enum { PROOF_STEP = 4 }; // rows added at first

// A proof while it is being made.
struct proof {
    struct racer *racers; // room for all entries; owned
    size_t *places;       // room for all rows; borrowed
    size_t n;             // rows that were asked for last; 0: no proof is left
    size_t most;          // rows to ask for at a time
    struct entry *begun;  // the entry that was chosen last; NULL: none yet
};

// The rows on which an entry can be compared with another one.
enum other_rows {
    OTHER_IS_KNOWN, // those that the other was scored on
    OTHER_IS_OPEN,  // also those that it could be scored on
};

struct entry *proof_best_other(const struct search *search,
                               const struct racer *racers, size_t n)
{
    size_t i = 0;

    while (i < n && racers[i].entry == search->baseline)
        i++;
    return i < n ? racers[i].entry : NULL;
}

bool proof_tells(const struct search *search, const struct entry *entry)
{
    const struct entry *baseline = search->baseline;
    size_t both = 0, open = 0;

    for (size_t i = 0; i < search->board.n_rows; i++) {
        open += !entry->closed[i] && !baseline->closed[i];
        both += entry->known[i] && baseline->known[i];
    }
    return entry == baseline || both >= COMPARISON_LEAST || both == open;
}

// Returns true if a race has shown who leads.
static bool has_proven_leader(const struct search *search)
{
    return search->leader != search->baseline &&
           proof_tells(search, search->leader);
}

// Chooses the entry that gets the next rows. The entry that was begun with
// keeps getting them until a test can tell, unless another looks better than
// luck explains. Otherwise the last rows would be spread over several entries,
// and in the end no test could tell for any of them.
static struct entry *choose_proven(const struct search *search,
                                   struct entry *begun, struct racer *racers)
{
    const struct outlook *outlook = &search->outlook;
    struct entry *best = proof_best_other(
        search, racers, race_rank(outlook, CHOICE_CAUTION, racers));
    struct effect_guess had;

    if (best == NULL || begun == NULL || proof_tells(search, begun))
        return best;
    had = outlook_guess(outlook, begun->choices);
    return had.mean + had.deviation >=
                   outlook_guess(outlook, best->choices).mean
               ? begun
               : best;
}

// Lists at most n places on which `entry` may be scored and is not yet, and
// where it can be compared with `other`. Returns their number.
static size_t list_open(const struct search *search, const struct entry *entry,
                        const struct entry *other, enum other_rows rows,
                        size_t n, size_t *places)
{
    size_t found = 0;

    for (size_t i = 0; i < search->board.n_rows && found < n; i++)
        if (!entry->known[i] && !entry->closed[i] &&
            (other->known[i] || (rows == OTHER_IS_OPEN && !other->closed[i])))
            places[found++] = i;
    return found;
}

// Scores the best-looking entry on some more rows, first on those that the
// baseline was scored on, or else the baseline on more of its rows. These are
// about half as many as the entry already has, so that an entry that
// disappoints does so early.
static bool prove_some(struct search *search, struct proof *proof,
                       struct err *err)
{
    struct entry *entry, *asked;
    size_t step;

    proof->n = 0;
    if (!outlook_learn(&search->outlook, SEARCH_TIES, err))
        return false;
    entry = asked = choose_proven(search, proof->begun, proof->racers);
    proof->begun = entry;
    if (entry == NULL)
        return true;
    step = entry->n / 2 > PROOF_STEP ? entry->n / 2 : PROOF_STEP;
    step = step < proof->most ? step : proof->most;
    proof->n = list_open(search, entry, search->baseline, OTHER_IS_KNOWN, step,
                         proof->places);
    if (proof->n == 0) {
        asked = search->baseline;
        proof->n =
            list_open(search, asked, entry, OTHER_IS_OPEN, step, proof->places);
    }
    return proof->n == 0 ||
           board_score(&search->board, asked, proof->places, proof->n, err);
}

// Chooses the most promising entry among those scored on fewer rows than a test
// needs, or a combination that nobody has tried if that promises more.
// *promising is NULL if there is none.
static bool choose_promising(struct search *search, struct entry **promising,
                             struct err *err)
{
    struct racer *racers = calloc(search->board.n + 1, sizeof *racers);
    struct entry *untried = NULL;
    double least = -INFINITY;
    size_t n;

    *promising = NULL;
    if (racers == NULL)
        return search_nomem(err);
    n = race_rank(&search->outlook, SCREEN_HOPE, racers);
    for (size_t i = 0; i < n && *promising == NULL; i++) {
        if (racers[i].entry == search->baseline ||
            racers[i].entry->n >= COMPARISON_LEAST)
            continue;
        *promising = racers[i].entry;
        least = racers[i].value;
    }
    free(racers);
    if (!screen_untried(search, least, &untried, err))
        return false;
    if (untried != NULL)
        *promising = untried;
    return true;
}

// Scores the most promising entry on a few rows, again and again, as long as
// enough is left for a proof.
static bool score_promising(struct search *search, size_t *places,
                            struct err *err)
{
    struct entry *promising = NULL;
    size_t n = 1;
    bool ok = true;

    search->outlook.few = true;
    session_reserve(search->session, COMPARISON_LEAST, 1);
    while (ok && n > 0) {
        ok = outlook_learn(&search->outlook, SEARCH_SOFT, err) &&
             choose_promising(search, &promising, err);
        n = 0;
        if (ok && promising != NULL)
            n = list_open(search, promising, search->baseline, OTHER_IS_KNOWN,
                          PROOF_STEP, places);
        ok = ok &&
             (n == 0 || board_score(&search->board, promising, places, n, err));
    }
    session_reserve(search->session, 0, 0);
    if (!ok && err->code == ERR_BUDGET) {
        *err = ERR_CLEAR;
        ok = true;
    }
    return ok;
}

static bool prove(struct search *search, size_t *places, struct err *err)
{
    struct proof proof = {.racers =
                              calloc(search->board.n + 1, sizeof *proof.racers),
                          .places = places,
                          .n = 1,
                          .most = SIZE_MAX};
    bool ok = proof.racers != NULL;

    if (!ok)
        search_nomem(err);
    while (ok && proof.n > 0 && proof.most > 0) {
        ok = prove_some(search, &proof, err);
        if (!ok && err->code == ERR_BUDGET) {
            *err = ERR_CLEAR;
            ok = true;
            proof.most = proof.n / 2;
        }
    }
    free(proof.racers);
    return ok;
}

bool proof_make(struct search *search, struct err *err)
{
    size_t *places = calloc(search->board.n_rows + 1, sizeof *places);
    bool ok = places != NULL;

    if (!ok)
        search_nomem(err);
    session_phase(search->session, "proof");
    session_expect(search->session, (struct effort){.examples = PROOF_ROWS});
    if (ok && !has_proven_leader(search))
        ok = score_promising(search, places, err);
    ok = ok && prove(search, places, err);
    free(places);
    return ok;
}
