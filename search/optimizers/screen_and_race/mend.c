#include "search/optimizers/screen_and_race/mend.h"

#include <stdlib.h>
#include <string.h>

#include "search/optimizers/screen_and_race/findings.h"
#include "search/optimizers/screen_and_race/screen.h"
#include "search/toolkit/text_space.h"

enum {
    WRONG_ROWS = 6,  // on which a sentence is left out, at most
    RIGHT_ROWS = 16, // and then these, if it is suspect
    WRONG_MOST = 48, // in all, plus at most one more portion; fewer after each
                     // time that nothing was found
};

static const double REGAINED = 0.5; // share of a suspect's lost points

// The leader without one sentence.
struct probe {
    size_t saying;       // its number
    double doubt;        // how much harm it may do, by the outlook
    struct entry *entry; // NULL: not asked
};

// The working state of one mending.
struct mending {
    struct search *search; // borrowed
    struct probe *probes;  // owned, like all below: the most doubtful first
    size_t n;
    double *worth;  // by sentence: above 0 for those that the leader holds,
                    // below for all others
    size_t *places; // room for the places of one probe
};

static int compare_probes(const void *a, const void *b)
{
    const struct probe *x = a;
    const struct probe *y = b;

    if (x->doubt != y->doubt)
        return x->doubt > y->doubt ? -1 : 1;
    return (x->saying > y->saying) - (x->saying < y->saying);
}

// Makes a probe for each of the teacher's sentences that the leader holds.
static bool prepare(struct mending *mending, struct err *err)
{
    const struct search *search = mending->search;
    size_t part = search->focus;
    const struct sayings *sayings = &search->outlook.sayings[part];
    size_t text = (size_t)search->leader->choices[space_at_text(part)];
    size_t n = search->space.parts[part].n_sayings;

    mending->probes = calloc(n + 1, sizeof *mending->probes);
    mending->worth = calloc(n + 1, sizeof *mending->worth);
    mending->places = calloc(search->board.n_rows + 1, sizeof *mending->places);
    if (mending->probes == NULL || mending->worth == NULL ||
        mending->places == NULL)
        return search_nomem(err);
    for (size_t i = 0; i < n; i++) {
        bool held = i < sayings->n && sayings->held[text * sayings->n + i];
        struct effect_guess guess;

        mending->worth[i] = held ? 1 : -1;
        if (!held)
            continue;
        guess = outlook_saying(&search->outlook, part, i);
        mending->probes[mending->n++] =
            (struct probe){.saying = i, .doubt = guess.deviation - guess.mean};
    }
    qsort(mending->probes, mending->n, sizeof *mending->probes, compare_probes);
    return true;
}

// A leader that gets almost nothing wrong cannot show what does harm. So it is
// scored on the remaining rows, if they are few.
static bool score_remaining_rows(struct mending *mending, struct err *err)
{
    struct search *search = mending->search;
    struct entry *leader = search->leader;
    size_t wrong = 0, n = 0;

    if (search->parts[search->focus].sound > 0)
        return true;
    for (size_t k = 0; k < search->board.n_rows; k++) {
        wrong += leader->known[k] && leader->scores[k] < search->study.pass;
        if (!leader->known[k] && !leader->closed[k])
            mending->places[n++] = k;
    }
    if (wrong >= FINDINGS_SHOWN || n == 0 || n > leader->n / 2)
        return true;
    return board_ask(&search->board, leader, mending->places, n, TRIAL_FULL,
                     "mend", err) &&
           board_wait(&search->board, err) &&
           outlook_learn(&search->outlook, SEARCH_SOFT, err);
}

// Returns true if the sentence is about this row and the leader gets the row
// right, or wrong.
static bool concerns(const struct search *search, size_t saying, size_t place,
                     bool right)
{
    const struct sayings *sayings = &search->outlook.sayings[search->focus];
    const struct entry *leader = search->leader;

    return leader->known[place] &&
           sayings->about[saying * sayings->n_rows + place] &&
           (leader->scores[place] >= search->study.pass) == right;
}

// Asks the probe on the first rows that concern its sentence. Returns at once;
// *n is their number.
static bool ask(struct mending *mending, const struct probe *probe, bool right,
                size_t most, size_t *n, struct err *err)
{
    struct board *board = &mending->search->board;

    *n = 0;
    for (size_t k = 0; k < board->n_rows && *n < most; k++)
        if (concerns(mending->search, probe->saying, k, right))
            mending->places[(*n)++] = k;
    return board_ask(board, probe->entry, mending->places, *n, TRIAL_MINIBATCH,
                     "mend", err);
}

// Returns what leaving the sentence out gains on the rows that concern it.
// *lost is the most that could be gained.
static double count_gain(const struct search *search, const struct probe *probe,
                         bool right, double *lost)
{
    const struct entry *leader = search->leader;
    double gained = 0;

    *lost = 0;
    for (size_t k = 0; k < search->board.n_rows; k++)
        if (probe->entry->known[k] &&
            concerns(search, probe->saying, k, right)) {
            *lost += search->study.pass - leader->scores[k];
            gained += probe->entry->scores[k] - leader->scores[k];
        }
    return gained;
}

static bool is_suspect(const struct search *search, const struct probe *probe)
{
    double lost = 0;
    double gained =
        probe->entry == NULL ? 0 : count_gain(search, probe, false, &lost);

    return gained > 0 && gained >= REGAINED * lost;
}

static bool is_harmful(const struct search *search, const struct probe *probe)
{
    double lost;

    return is_suspect(search, probe) &&
           count_gain(search, probe, false, &lost) +
                   count_gain(search, probe, true, &lost) >
               0;
}

// Enters the leader's combination without those of its sentences whose worth is
// below 0. *entry is the leader if that changes nothing.
static bool enter_without(struct mending *mending, const char *kind,
                          struct entry **entry, struct err *err)
{
    struct search *search = mending->search;
    size_t part = search->focus, at = space_at_text(part);
    const struct text_draft draft = {
        .part = part, .parent = search->leader->choices[at], .kind = kind};
    size_t bytes = search->space.n_choices * sizeof(int);
    int *choices = malloc(bytes + sizeof(int));
    bool ok = choices != NULL;

    *entry = search->leader;
    if (!ok)
        return search_nomem(err);
    memcpy(choices, search->leader->choices, bytes);
    ok = text_space_gather(&search->space, &draft, mending->worth,
                           search->space.parts[part].n_sayings, &choices[at],
                           err);
    if (ok && choices[at] != search->leader->choices[at])
        *entry = search_enter(search, choices, err);
    free(choices);
    return ok && *entry != NULL;
}

// Leaves out one sentence after the other on rows that went wrong, and then the
// suspect ones on rows that went right.
static bool ask_probes(struct mending *mending, struct err *err)
{
    struct search *search = mending->search;
    size_t most = WRONG_MOST / (1 + search->parts[search->focus].sound);
    size_t asked = 0, n;
    bool ok = true;

    for (size_t i = 0; ok && i < mending->n && asked < most; i++) {
        struct probe *probe = &mending->probes[i];

        mending->worth[probe->saying] = -1;
        ok = enter_without(mending, "without a sentence", &probe->entry, err) &&
             ask(mending, probe, false, WRONG_ROWS, &n, err);
        mending->worth[probe->saying] = 1;
        asked += ok ? n : 0;
    }
    ok = ok && board_wait(&search->board, err);
    for (size_t i = 0; ok && i < mending->n; i++)
        if (is_suspect(search, &mending->probes[i]))
            ok = ask(mending, &mending->probes[i], true, RIGHT_ROWS, &n, err);
    return ok && board_wait(&search->board, err);
}

static bool holds(const struct board *board, size_t from,
                  const struct entry *entry)
{
    for (size_t i = from; i < board->n; i++)
        if (board->entries[i] == entry)
            return true;
    return false;
}

static bool mend(struct mending *mending, size_t round, bool *mended,
                 struct err *err)
{
    struct search *search = mending->search;
    struct entry *entry = search->leader;
    size_t before = search->board.n;

    if (!score_remaining_rows(mending, err) || !ask_probes(mending, err))
        return false;
    for (size_t i = 0; i < mending->n; i++)
        if (is_harmful(search, &mending->probes[i]))
            mending->worth[mending->probes[i].saying] = -1;
    if (!enter_without(mending, "mended", &entry, err))
        return false;
    *mended = holds(&search->board, before, entry);
    search->parts[search->focus].sound =
        entry != search->leader ? 0 : search->parts[search->focus].sound + 1;
    return (!*mended || screen_entry(search, entry, round, err)) &&
           board_wait(&search->board, err) &&
           outlook_learn(&search->outlook, SEARCH_SOFT, err);
}

bool mend_leader(struct search *search, size_t round, bool *mended,
                 struct err *err)
{
    struct mending mending = {.search = search};
    bool ok = prepare(&mending, err);

    *mended = false;
    session_phase(search->session, "mend");
    if (ok && mending.n > 0)
        ok = mend(&mending, round, mended, err);
    free(mending.places);
    free(mending.worth);
    free(mending.probes);
    return ok;
}
