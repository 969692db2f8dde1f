#include "search/optimizers/screen_and_race/screen.h"

#include <stdlib.h>
#include <string.h>

#include "common/rng.h"
#include "search/toolkit/demo_space.h"

enum {
    SCREEN_FIRST = 16,    // combinations of the first screen,
    SCREEN_PROMISING = 4, // of which the outlook chooses this many
    SCREEN_LATER = 8,     // per round
    SCREEN_ROWS = 4,      // per combination
    SCREEN_SPAN = 24,     // rows that the screen uses
    SCREEN_ALIKE = 3,     // that share a text or a set, in later screens
};

bool screen_entry(struct search *search, struct entry *entry, size_t number,
                  struct err *err)
{
    size_t span =
        search->board.n_rows < SCREEN_SPAN ? search->board.n_rows : SCREEN_SPAN;
    size_t places[SCREEN_ROWS];
    size_t n = 0;

    for (size_t k = 0; k < search->board.n_rows && n < SCREEN_ROWS; k++) {
        size_t place = k < span ? (number * SCREEN_ROWS + k) % span : k;

        if (!entry->known[place] && !entry->closed[place])
            places[n++] = place;
    }
    return board_ask(&search->board, entry, places, n, TRIAL_MINIBATCH,
                     "screen", err);
}

static bool end_screen(struct search *search, struct err *err)
{
    return board_wait(&search->board, err) &&
           outlook_learn(&search->outlook, SEARCH_SOFT, err);
}

// Returns the cell-th text that is not a share of another, wrapping around;
// *whole is the number of such texts. If no two letters say the same, a share
// is worth less than the whole, so shares are tried only when they look
// promising, and not at first.
static int choose_whole(const struct space_part *part, size_t cell,
                        size_t *whole)
{
    size_t left, t = 0;

    *whole = 0;
    for (size_t i = 0; i < part->n_texts; i++)
        *whole += !part->texts[i].share;
    for (left = cell % *whole; left > 0 || part->texts[t].share; t++)
        left -= !part->texts[t].share;
    return (int)t;
}

// Makes the choices of a cell of the first screen. Each whole text and each set
// of the focused predictor is used as often as the others. The rest of the
// combination is drawn only for every other cell; in between it stays as the
// leader has it (at first, as written). An earlier step that stays the same
// gives answers that are already stored, so it costs nothing.
static void first_choices(struct search *search, size_t cell, struct rng *rng,
                          int *choices)
{
    size_t text = space_at_text(search->focus);
    size_t set = space_at_demos(search->focus);
    size_t texts = 0;
    size_t sets = space_count(&search->space, set);

    for (size_t at = 0; at < search->space.n_choices; at++)
        choices[at] = (int)rng_below(rng, space_count(&search->space, at));
    for (size_t at = 0; cell % 2 == 0 && at < search->space.n_choices; at++)
        choices[at] = search->leader->choices[at];
    choices[text] =
        choose_whole(&search->space.parts[search->focus], cell, &texts);
    choices[set] = (int)((cell + cell / texts * 3 + 1) % sets);
}

static bool screen_evenly(struct search *search, size_t cells, struct err *err)
{
    struct rng rng = session_rng(search->session, "screen", 0);
    int *choices = calloc(search->space.n_choices + 1, sizeof *choices);
    bool ok = choices != NULL;

    if (!ok)
        search_nomem(err);
    for (size_t cell = 0; ok && cell < cells; cell++) {
        struct entry *entry;

        first_choices(search, cell, &rng, choices);
        entry = search_enter(search, choices, err);
        ok = entry != NULL;
        if (ok && entry != search->baseline && entry->asked == NULL)
            ok = screen_entry(search, entry, cell, err);
    }
    free(choices);
    return ok && end_screen(search, err);
}

// A combination that could be tried: the leader's, with one or two choices
// changed.
struct option {
    size_t at[2];
    int choice[2];
    size_t no;
    double value;
};

static int compare_options(const void *a, const void *b)
{
    const struct option *x = a;
    const struct option *y = b;

    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->no > y->no) - (x->no < y->no);
}

static void add_option(struct search *search, struct option *option,
                       int *choices, struct option *list, size_t *n)
{
    int before[2] = {choices[option->at[0]], choices[option->at[1]]};
    struct effect_guess guess;

    choices[option->at[0]] = option->choice[0];
    choices[option->at[1]] = option->choice[1];
    guess = outlook_guess(&search->outlook, choices);
    choices[option->at[1]] = before[1];
    choices[option->at[0]] = before[0];
    option->value = guess.mean + SCREEN_HOPE * guess.deviation;
    option->no = *n;
    list[(*n)++] = *option;
}

// Lists all texts and sets of the focused predictor combined with each other,
// and every other choice alone; the most promising first. The caller frees the
// list.
static struct option *list_options(struct search *search, size_t *n,
                                   struct err *err)
{
    const struct space *space = &search->space;
    int *choices = calloc(space->n_choices + 1, sizeof *choices);
    size_t text = space_at_text(search->focus);
    size_t set = space_at_demos(search->focus);
    size_t most = space_count(space, text) * space_count(space, set);
    struct option *list;

    for (size_t at = 0; at < space->n_choices; at++)
        most += space_count(space, at);
    list = calloc(most, sizeof *list);
    *n = 0;
    if (list == NULL || choices == NULL) {
        search_nomem(err);
        free(choices);
        free(list);
        return NULL;
    }
    memcpy(choices, search->leader->choices,
           space->n_choices * sizeof *choices);
    for (size_t t = 0; t < space_count(space, text); t++)
        for (size_t s = 0; s < space_count(space, set); s++)
            add_option(search,
                       &(struct option){{text, set}, {(int)t, (int)s}, 0, 0},
                       choices, list, n);
    for (size_t at = 0; at < space->n_choices; at++)
        for (size_t c = 0;
             at != text && at != set && c < space_count(space, at); c++)
            add_option(search,
                       &(struct option){{at, at}, {(int)c, (int)c}, 0, 0},
                       choices, list, n);
    free(choices);
    qsort(list, *n, sizeof *list, compare_options);
    return list;
}

// Returns true if enough other options of the screen share a choice with this
// one.
static bool is_common(const struct option *taken, size_t n,
                      const struct option *option)
{
    for (int side = 0; side < 2; side++) {
        size_t alike = 0;

        for (size_t i = 0; i < n; i++)
            alike += taken[i].at[side] == option->at[side] &&
                     taken[i].choice[side] == option->choice[side];
        if (alike >= SCREEN_ALIKE)
            return true;
    }
    return false;
}

// Enters the leader with one or two choices changed. Returns NULL when out of
// memory.
static struct entry *enter_option(struct search *search,
                                  const struct option *option, struct err *err)
{
    const size_t bytes = search->space.n_choices * sizeof(int);
    int *choices = malloc(bytes + sizeof(int));
    struct entry *entry = NULL;

    if (choices == NULL) {
        search_nomem(err);
        return NULL;
    }
    memcpy(choices, search->leader->choices, bytes);
    choices[option->at[0]] = option->choice[0];
    choices[option->at[1]] = option->choice[1];
    entry = search_enter(search, choices, err);
    free(choices);
    return entry;
}

static bool is_untried(const struct entry *entry)
{
    return entry->n == 0 && entry->asked == NULL;
}

// Adds an option to the screen unless it was tried; *n counts those added.
static bool screen_option(struct search *search, const struct option *option,
                          size_t number, size_t *n, struct err *err)
{
    struct entry *entry = enter_option(search, option, err);

    if (entry == NULL || !is_untried(entry))
        return entry != NULL;
    (*n)++;
    return screen_entry(search, entry, number, err);
}

// Screens the leader with half of its demos, however promising that looks, so
// that the search does not end up with more and more of them.
static bool screen_half(struct search *search, size_t number, size_t *n,
                        struct err *err)
{
    size_t part = search->focus;
    size_t at = space_at_demos(part);
    int half;

    return demo_space_halve(&search->space, &search->study, part,
                            search->leader->choices[at], &half, err) &&
           screen_option(search, &(struct option){{at, at}, {half, half}, 0, 0},
                         number, n, err);
}

// Screens up to `most` of the most promising combinations.
static bool screen_promising(struct search *search, size_t round, size_t most,
                             struct err *err)
{
    struct option taken[SCREEN_LATER];
    size_t n = 0, n_taken = 0, screened = 0;
    struct option *options = NULL;
    bool ok = screen_half(search, round, &screened, err) &&
              outlook_learn(&search->outlook, SEARCH_SOFT, err);

    options = ok ? list_options(search, &n, err) : NULL;
    ok = options != NULL;
    for (size_t i = 0; ok && i < n && screened < most; i++) {
        size_t before = screened;

        if (is_common(taken, n_taken, &options[i]))
            continue;
        ok = screen_option(search, &options[i], screened + round, &screened,
                           err);
        if (screened > before)
            taken[n_taken++] = options[i];
    }
    free(options);
    return ok && end_screen(search, err);
}

// Only the first race shows which of several predictors loses most. Until then,
// promising combinations would too often be about the wrong one.
bool screen_first(struct search *search, struct err *err)
{
    size_t promising =
        study_count_searched(&search->study) > 1 ? 0 : SCREEN_PROMISING;

    session_phase(search->session, "screen");
    return screen_evenly(search, SCREEN_FIRST - promising, err) &&
           (promising == 0 || screen_promising(search, 0, promising, err));
}

bool screen_next(struct search *search, size_t round, struct err *err)
{
    session_phase(search->session, "screen");
    return screen_promising(search, round, SCREEN_LATER, err);
}

bool screen_untried(struct search *search, double least, struct entry **entry,
                    struct err *err)
{
    size_t n = 0;
    struct option *options = list_options(search, &n, err);
    bool ok = options != NULL;

    *entry = NULL;
    for (size_t i = 0;
         ok && *entry == NULL && i < n && options[i].value > least; i++) {
        struct entry *one = enter_option(search, &options[i], err);

        ok = one != NULL;
        if (ok && is_untried(one))
            *entry = one;
    }
    free(options);
    return ok;
}
