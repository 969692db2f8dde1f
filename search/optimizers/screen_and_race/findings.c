#include "search/optimizers/screen_and_race/findings.h"

#include <stdlib.h>

#include "common/rng.h"
#include "search/toolkit/credit.h"

enum { FAILURES_LEAST = 3 }; // needed to learn from

void findings_release(struct search *search, struct findings *found)
{
    runs_drop(search->session, found->runs);
    free(found->places);
    free(found->failed);
}

// Chooses the step that costs most points. A step that was worked on in vain
// gets its turn less often.
static bool choose_focus(struct search *search, const struct findings *found,
                         struct err *err)
{
    const struct runs *runs = found->runs;
    const struct credit_failures failures = {found->examined, runs,
                                             found->failed, found->n_failed};
    double shares[PROGRAM_MAX_STEPS];
    size_t tried = 0;

    diagnosis_charge(search->session, runs->items, runs->n, search->study.pass,
                     shares);
    if (study_count_searched(&search->study) > 1 &&
        !credit_measure(&search->study, &search->board, &failures, shares,
                        &tried, err))
        return false;
    for (size_t p = 0; p < search->program->n_predictors; p++)
        shares[p] /= 1 + (double)search->parts[p].in_vain;
    for (size_t p = 0; p < search->program->n_predictors; p++)
        if (search->study.searched[p] &&
            (!search->study.searched[search->focus] ||
             shares[p] > shares[search->focus]))
            search->focus = p;
    return true;
}

struct diagnosis_runs findings_of_focus(const struct search *search,
                                        const struct findings *found)
{
    return (struct diagnosis_runs){
        .classes = &search->study.corpus.classes[search->focus],
        .step = search->program->predictors[search->focus],
        .items = found->runs->items,
        .places = found->places,
        .n = found->runs->n,
        .pass = search->study.pass};
}

static bool read_runs(struct search *search, size_t round,
                      struct findings *found, struct err *err)
{
    struct rng rng = session_rng(search->session, "failures", round);
    const struct runs *runs = found->runs;
    struct diagnosis_runs focus;

    for (size_t i = 0; i < runs->n; i++)
        if (diagnosis_failed(&runs->items[i], search->study.pass))
            found->failed[found->n_failed++] = i;
    rng_shuffle(&rng, found->failed, found->n_failed);
    if (!choose_focus(search, found, err))
        return false;
    focus = findings_of_focus(search, found);
    found->n_confusions =
        diagnosis_confusions(&focus, found->confusions, FINDINGS_CONFUSIONS);
    return diagnosis_group(&focus, FINDINGS_SHOWN / 2, found->failed,
                           found->n_failed, err);
}

static size_t count_failures(const struct search *search,
                             const struct entry *entry)
{
    size_t n = 0;

    for (size_t i = 0; i < search->board.n_rows; i++)
        n += entry->known[i] && entry->scores[i] < search->study.pass;
    return n;
}

static size_t count_alike(const struct search *search, const struct entry *a,
                          const struct entry *b)
{
    size_t n = 0;

    for (size_t i = 0; i < search->space.n_choices; i++)
        n += a->choices[i] == b->choices[i];
    return n;
}

// Chooses the entry whose runs are examined. If the same rows train and
// validate, the leader was chosen on the very rows that we learn from, and may
// be right on nearly all of them by luck, so there is nothing to learn from it.
// Then the entry most like it is used, among those that failed often enough.
static const struct entry *choose_examined(const struct search *search)
{
    const struct board *board = &search->board;
    const struct entry *examined = search->leader;
    const struct entry *best = NULL;

    if (!session_split(search->session)->shared ||
        count_failures(search, examined) >= FAILURES_LEAST)
        return examined;
    for (size_t i = 0; i < board->n; i++) {
        const struct entry *one = board->entries[i];

        if (one != examined && count_failures(search, one) >= FAILURES_LEAST &&
            (best == NULL || count_alike(search, one, examined) >
                                 count_alike(search, best, examined)))
            best = one;
    }
    return best != NULL ? best : examined;
}

bool findings_make(struct search *search, size_t round, struct findings *found,
                   struct err *err)
{
    size_t n = search->study.n + 1;

    session_phase(search->session, "diagnosis");
    found->places = calloc(n, sizeof *found->places);
    found->failed = calloc(n, sizeof *found->failed);
    if (found->places == NULL || found->failed == NULL)
        return search_nomem(err);
    found->examined = choose_examined(search);
    found->runs = study_trace(&search->study, &search->board, found->examined,
                              found->places, err);
    return found->runs != NULL && read_runs(search, round, found, err) &&
           study_harvest(&search->study, &search->board, err);
}
