// screen_and_race: tries many prompts on few examples each, races the best on
// the same examples, and turns what still goes wrong into new prompts.
//
//   (the baseline was run, on a part of the rows)
//        | search_start
//        v
//   stock      what the runs of the leader, or of an entry like it, show: which
//   |    ^     step loses the points, which labels are mistaken for each other,
//   |    |     which rows go wrong; makes instructions and demo sets from that
//   |    |     (stock.h: stock_fill at first, stock_renew every round)
//   v    |
//   screen     combinations on a few rows each; a model of the scores
//   |    |     (toolkit/outlook.h) estimates from them what each part is worth,
//   |    |     also in combinations that were not tried; the most promising
//   |    |     ones are screened next (screen.h)
//   v    | a next round
//   race   |   the most promising on nested blocks of rows; after each block,
//   |  ^   |   those drop out that a paired test finds worse, and the lower
//   v  |   |   half (toolkit/race.h); the winner leads
//   mend---+   the leader without each sentence of its instruction, on rows
//   |          that it got wrong; if some sentences do harm, a race against the
//   |          leader without them (mend.h)
//   | the size of the search is used up, or nothing new comes
//   v
//   confirm    the best few on all rows, with fresh answers if the model's
//   |          answers vary (confirm.h)
//   v
//   choice     the best by a cautious estimate ships if a paired test finds it
//   ^          better than the program as written; otherwise that program ships
//   |          (choice.h). If the rows are too few for the test, it is repeated
//   |          with everything that was tried, and with training rows too, if
//   |          these are separate (further.h)
//   |
//   proof      from wherever the budget ends the search: if no race was won,
//              the reserved calls first go to the most promising combinations
//              on a few rows, then to more rows for the best-looking one
//              (proof.h)
//
// Each phase is a file in screen_and_race/; they share one struct
// (screen_and_race/search.h). Why each part exists, and what it is worth, is in
// docs/optimizers.md.
//
// The search does not plan by the budget: its size is a parameter of its own,
// and a smaller budget cuts it off wherever it is. So it is built to be good
// early: the screen comes first, and whatever is known when the search ends
// decides.

#include <stddef.h>
#include <stdint.h>

#include "search/optimizers/optimizer.h"
#include "search/optimizers/screen_and_race/choice.h"
#include "search/optimizers/screen_and_race/confirm.h"
#include "search/optimizers/screen_and_race/mend.h"
#include "search/optimizers/screen_and_race/proof.h"
#include "search/optimizers/screen_and_race/screen.h"
#include "search/optimizers/screen_and_race/search.h"
#include "search/optimizers/screen_and_race/stock.h"
#include "search/toolkit/race.h"

enum size { SIZE_LIGHT, SIZE_MEDIUM, SIZE_HEAVY };
static const char *const size_names[] = {"light", "medium", "heavy", NULL};
static const int64_t sizes[] = {300, 1000, 3000};

#define AT(member) offsetof(struct search_params, member)

static const struct param params[] = {
    {"auto", PARAM_CHOICE, AT(size), 0, 0, SIZE_MEDIUM, size_names,
     "effort: 300, 1,000 or 3,000 evaluations"},
    {"evaluations", PARAM_INT, AT(evaluations), 1, 1e9, -1, NULL,
     "runs of the program on an example, not counting the baseline's; by "
     "default, from `auto`"},
    {"max_demos", PARAM_INT, AT(max_demos), 0, 1000, -1, NULL,
     "the most demos per step; by default 32, and at most half of the "
     "examples if training and validation use the same rows. 0: only "
     "instructions are searched"},
    {"proposals", PARAM_INT, AT(proposals), 0, 100, 2, NULL,
     "how many times per round the teacher sees mistakes; it sees new "
     "examples three times as often. 0: never"},
    {"temperature", PARAM_NUMBER, AT(temperature), 0, 2, 1, NULL,
     "temperature at which instructions are written"},
    {"seed", PARAM_INT, AT(seed), 0, 9e15, 9, NULL,
     "seed of the random numbers"},
};

enum {
    PERFECT_ROUNDS = 4, // rounds with a perfect leader that end the search
    IDLE_ROUNDS = 2,    // rounds in a row without anything new that end it
    RACERS = 6,
    MENDED_RACERS = 3, // that start if one of them is the mended leader
};

// Races the leader and the most promising entries on the same rows.
static bool race(struct search *search, size_t racers, struct err *err)
{
    const struct race_rules rules = {
        .racers = racers, .worse = 0.1, .soft = SEARCH_SOFT};
    struct entry *winner = NULL;

    session_phase(search->session, "race");
    if (!race_run(&search->outlook, &rules, search->leader, &winner, err))
        return false;
    search_set_leader(search, winner);
    return true;
}

// Mends the leader and races the result, until the leader stays.
static bool mend(struct search *search, size_t round, struct err *err)
{
    const struct entry *before = NULL;
    bool mended = true;

    while (mended && search->leader != before) {
        before = search->leader;
        if (!mend_leader(search, round, &mended, err) ||
            (mended && !race(search, MENDED_RACERS, err)))
            return false;
    }
    return true;
}

static bool race_and_mend(struct search *search, size_t round, struct err *err)
{
    const struct entry *before = search->leader;

    if (!race(search, RACERS, err) || !mend(search, round, err))
        return false;
    if (search->leader == before)
        search->parts[search->focus].in_vain++;
    else
        for (size_t p = 0; p < search->program->n_predictors; p++)
            search->parts[p].in_vain = 0;
    return true;
}

static size_t count_evaluations(const struct search_params *values)
{
    return (size_t)(values->evaluations > 0 ? values->evaluations
                                            : sizes[values->size]);
}

static struct effort effort(struct session *session, const void *given)
{
    (void)session;
    return (struct effort){.examples = count_evaluations(given)};
}

// Tells people how many evaluations are left: screens and races continue until
// they are used up, or until there is nothing to be gained.
static void forecast(const struct search *search)
{
    size_t asked = search->board.asked;
    size_t left = search->limit > asked ? search->limit - asked : 0;

    session_expect(search->session, (struct effort){.examples = left});
}

static bool is_mute(struct search *search)
{
    size_t n = 0;
    struct trial *const *trials = session_trials(search->session, &n);

    search->mute = trials_are_mute(trials, n);
    return search->mute;
}

static bool explore(struct search *search, struct err *err)
{
    size_t rows = search->board.n_rows;
    size_t kept = 2 * rows < search->limit / 2 ? 2 * rows : search->limit / 2;
    size_t idle = 0, perfect = 0;

    session_reserve(search->session, PROOF_ROWS, 0.5);
    if (!stock_fill(search, err) || !screen_first(search, err))
        return false;
    if (is_mute(search))
        return true;
    if (!race_and_mend(search, 0, err))
        return false;
    for (size_t round = 1;
         search->board.asked + kept < search->limit && idle < IDLE_ROUNDS &&
         perfect < PERFECT_ROUNDS && !is_mute(search);
         round++) {
        size_t before = search->board.asked;

        forecast(search);
        if (!stock_renew(search, round, err) ||
            !screen_next(search, round, err) ||
            !race_and_mend(search, round, err))
            return false;
        idle = search->board.asked == before ? idle + 1 : 0;
        perfect += search_is_perfect(search);
    }
    return true;
}

// Waits for the work under way, which still counts unless the budget cut it
// short.
static bool settle(struct search *search, struct err *err)
{
    bool ok = false;

    while (!ok && err->code == ERR_BUDGET) {
        search->cut = true;
        *err = ERR_CLEAR;
        ok = board_wait(&search->board, err);
    }
    return ok;
}

static bool finish(struct search *search, bool went_well, struct err *err)
{
    bool ok = went_well || settle(search, err);

    session_reserve(search->session, 0, 0);
    if (ok && search->cut)
        ok = proof_make(search, err);
    return ok && choice_make(search, err);
}

static bool run(struct session *session, const void *given, struct err *err)
{
    const struct search_params *values = given;
    struct search search = {
        .session = session,
        .params = values,
        .program = session_job(session)->program,
        .limit = count_evaluations(values),
    };
    bool ok = search_start(&search, err) &&
              finish(&search,
                     explore(&search, err) &&
                         (search.mute || confirm_best(&search, err)),
                     err);

    search_release(&search);
    return ok;
}

const struct optimizer screen_and_race = {
    .name = "screen_and_race",
    .help = "many prompts screened on few examples, the best raced in pairs",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct search_params),
    .logprobs = true,
    .pools = true,
    .early = true,
    .seeds = true,
    .effort = effort,
    .run = run,
};
