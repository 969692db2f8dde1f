// screen_and_race: many prompts on few examples each, the best of them raced
// on the same examples, and what still goes wrong turned into new prompts.
//
//   diagnose   the baseline's own runs: which step loses the points, which
//              labels are mistaken for each other, which rows are hard
//   space      instructions (ours from the examples' words, the teacher's from
//              examples and failures) and demo sets that cover every label
//   screen     combinations on a few rows each; a model of the scores
//              (toolkit/outlook.h) tells from them what each part is worth,
//              also in combinations that were not tried
//   race       the most promising on nested blocks of rows; at the end of each
//              block those drop out that a paired test finds worse, and the
//              lower half
//   reflect    instructions from what the leader gets wrong and from examples
//              not read yet; what the teacher said so far, without the
//              sentences that do harm; demo sets that mend; back to the screen
//   confirm    the best few on all rows, with fresh answers where the model
//              does not answer alike; the winner ships if a paired test finds
//              it better than the program as written, else that does
//   prove      instead of that, where the budget ends the search: what was
//              kept back of it goes to more rows for whoever looks best by then
//
// Why each part is there, and what it is worth: docs/optimizers.md.
//
// It does not plan by the budget: its size is its own parameter, and a budget
// that is smaller cuts it where it stands. So it is built to be good early: the
// screen comes first, and whatever is known when it ends decides.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/stats.h"
#include "search/optimizers/optimizer.h"
#include "search/session/comparison.h"
#include "search/toolkit/board.h"
#include "search/toolkit/cover.h"
#include "search/toolkit/credit.h"
#include "search/toolkit/demo_space.h"
#include "search/toolkit/diagnosis.h"
#include "search/toolkit/outlook.h"
#include "search/toolkit/race.h"
#include "search/toolkit/space.h"
#include "search/toolkit/study.h"
#include "search/toolkit/teacher.h"
#include "search/toolkit/text_space.h"

enum size { SIZE_LIGHT, SIZE_MEDIUM, SIZE_HEAVY };
static const char *const size_names[] = {"light", "medium", "heavy", NULL};
static const int64_t sizes[] = {300, 1000, 3000};

struct params {
    int size;
    int64_t evaluations; // -1: by size
    int64_t max_demos;   // -1: by the examples
    int64_t proposals;
    double temperature;
    int64_t seed;
};

#define AT(member) offsetof(struct params, member)

static const struct param params[] = {
    {"auto", PARAM_CHOICE, AT(size), 0, 0, SIZE_MEDIUM, size_names,
     "effort: 300, 1000 or 3000 evaluations"},
    {"evaluations", PARAM_INT, AT(evaluations), 1, 1e9, -1, NULL,
     "runs of the program on an example, the baseline's not counted; wins "
     "over auto"},
    {"max_demos", PARAM_INT, AT(max_demos), 0, 1000, -1, NULL,
     "demos of a step at most; otherwise by the examples at hand"},
    {"proposals", PARAM_INT, AT(proposals), 0, 100, 2, NULL,
     "letters on mistakes to the teacher in a round; three on examples for "
     "each"},
    {"temperature", PARAM_NUMBER, AT(temperature), 0, 2, 1, NULL,
     "temperature at which instructions are written"},
    {"seed", PARAM_INT, AT(seed), 0, 9e15, 9, NULL, "of the random numbers"},
};

enum {
    DEMOS_MOST = 32,   // of a step, unless max_demos says more
    GROWN_MOST = 64,   // later, when the leader shows that many
    DEMOS_PLAIN = 4,   // of the smallest set, where there are no labels
    SCREEN_CELLS = 16, // of the first screen; half of it later
    SCREEN_ROWS = 4,   // a combination
    SCREEN_SPAN = 24,  // rows that the screen uses
    SCREEN_ALIKE = 3,  // combinations of one text, or one set, in later screens
    RACERS = 6,
    FINALISTS = 3,
    NOISE_ROWS = 16, // that show whether the model answers alike
    FRESH_DRAW = 1,  // number of the finalists' second draw
    CONFUSIONS = 6,
    FAILURES_LEAST = 3,                // of the leader, to learn from
    SHOWN_FAILURES = 6,                // in one reflection
    SHOWN_CONTRASTS = 4,               // beside them
    SHOWN_EXAMPLES = 8,                // in one letter
    EXAMPLE_LETTERS = 6,               // a proposal
    PROOF_ROWS = 7 * COMPARISON_LEAST / 4, // kept back of the budget
    PROOF_STEP = SCREEN_ROWS,          // that are added in proving, at first
    PERFECT_ROUNDS = 4, // in which the leader got nothing wrong, the same
    IDLE_ROUNDS = 2,    // without anything new, and the search is over
};

static const double LEAST_DEVIATION = 0.1; // of a single score
static const double SOFT = 0.5;            // of a score, early (outlook.h)
static const double TIES = 0.1;            // late: it only breaks ties
static const double CAUTION = -0.5; // deviations by which a winner is judged
static const double TRUST = 0.5;    // in the teacher: deviations by which a
                                    // sentence may look harmful and stay
static const double ALIKE = 0.001;  // a difference that is none
static const double SHIPPED_BELOW = 0.1; // p of a winner against the baseline

static const struct race_rules rules = {
    .racers = RACERS, .worse = 0.1, .soft = SOFT};

struct search {
    struct session *session;
    const struct params *params;
    const struct program *program;
    size_t limit; // evaluations
    struct study study;
    struct space space;
    struct board board;
    struct outlook outlook;
    struct entry *baseline; // borrowed from the board, as the next
    struct entry *leader;
    size_t focus; // the predictor that most failures are charged to
    size_t in_vain[PROGRAM_MAX_STEPS]; // by predictor: rounds of work on it
                                       // since the leader last changed
    size_t seen[PROGRAM_MAX_STEPS]; // by predictor: examples that the teacher
                                    // was shown so far
    int defined[PROGRAM_MAX_STEPS]; // by predictor: number of the text with
                                    // the definitions of its labels
    struct reflection_form form;
    struct post post;
    double noise; // how far a finalist's score moves by itself
    bool cut;     // by the budget
};

static bool nomem(struct err *err)
{
    err_nomem(err, "a search");
    return false;
}

// --- the start

static int compare_scores(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

// What counts as right, and how far scores spread. Where the metric grades, the
// best quarter of the baseline's runs is right.
static bool weigh_scores(const struct trial *baseline, double *pass,
                         double *deviation, struct err *err)
{
    double *scores = calloc(baseline->n_rows + 1, sizeof *scores);
    double square = 0;
    size_t n = 0;

    if (scores == NULL)
        return nomem(err);
    for (size_t i = 0; i < baseline->n_rows; i++)
        if (baseline->scored[i])
            scores[n++] = baseline->scores[i];
    for (size_t i = 0; i < n; i++)
        square += (scores[i] - baseline->score) * (scores[i] - baseline->score);
    *pass = 1;
    *deviation = 0.5;
    if (n > 0 && !stats_binary(scores, n)) {
        qsort(scores, n, sizeof *scores, compare_scores);
        *pass = fmax(scores[n * 3 / 4], 1e-9);
        *deviation = fmax(LEAST_DEVIATION, sqrt(square / (double)n));
    }
    free(scores);
    return true;
}

static struct entry *enter(struct search *search, const int *choices,
                           struct err *err)
{
    struct candidate *candidate = space_candidate(
        &search->space, choices, session_baseline(search->session), err);
    struct candidate *fitting = NULL;
    struct entry *entry = NULL;

    if (candidate != NULL)
        fitting = session_fit(search->session, candidate, err);
    if (fitting != NULL)
        entry = board_enter(&search->board, fitting, choices, err);
    candidate_unref(fitting);
    candidate_unref(candidate);
    return entry;
}

static bool start_board(struct search *search, struct trial *trial,
                        struct err *err)
{
    const struct split *split = session_split(search->session);
    int *zeros = calloc(search->space.n_choices + 1, sizeof *zeros);

    if (zeros == NULL)
        return nomem(err);
    if (board_init(&search->board, search->session, split->rows[SHARE_VAL],
                   split->n[SHARE_VAL], search->space.n_choices, err))
        search->baseline =
            board_enter(&search->board, trial->candidate, zeros, err);
    free(zeros);
    if (search->baseline == NULL)
        return false;
    board_read(&search->board, search->baseline, trial);
    search->leader = search->baseline;
    return true;
}

// Puts what the program of an earlier run has in a step into the space.
static bool plant_part(struct search *search, size_t part,
                       const struct candidate *seed, int *choices,
                       struct err *err)
{
    const struct candidate_part *from = &seed->parts[part];
    const struct demo_list list = {
        .demos = from->demos, .n = from->n_demos, .nearest = from->nearest};

    return space_add_text(&search->space, part, from->instruction,
                          "of an earlier run", SPACE_ORPHAN,
                          &choices[space_at_text(part)], err) &&
           space_add_demos(&search->space, part, &list, "of an earlier run",
                           SPACE_ORPHAN, &choices[space_at_demos(part)], err);
}

static void plant_tunables(const struct space *space,
                           const struct candidate *seed, int *choices)
{
    for (size_t i = 0; i < space->n_tunables; i++) {
        const struct tunable *tunable = space->tunables[i];
        int *choice = &choices[space_at_tunable(space, i)];

        while (tunable_nth(tunable, (size_t)*choice) !=
               tunable_get(tunable, seed))
            (*choice)++;
    }
}

// The program of an earlier run is in the space part by part, and leads where
// it is better than the program as written.
static bool plant_seed(struct search *search, struct err *err)
{
    struct trial *seed = session_seed_trial(search->session);
    int *choices;
    struct entry *entry = NULL;
    bool ok;

    if (seed == NULL)
        return true;
    choices = calloc(search->space.n_choices + 1, sizeof *choices);
    ok = choices != NULL;
    if (!ok)
        nomem(err);
    for (size_t p = 0; ok && p < search->space.n_parts; p++)
        ok = plant_part(search, p, seed->candidate, choices, err);
    if (ok) {
        plant_tunables(&search->space, seed->candidate, choices);
        entry = board_enter(&search->board, seed->candidate, choices, err);
    }
    free(choices);
    if (entry == NULL)
        return false;
    board_read(&search->board, entry, seed);
    if (session_best(search->session) == seed)
        search->leader = entry;
    return true;
}

static bool start(struct search *search, struct err *err)
{
    const struct reflection_options options = {.hints = true};
    struct trial *trial = session_baseline_trial(search->session);
    double pass = 0, deviation = 0;

    if (!weigh_scores(trial, &pass, &deviation, err) ||
        !study_init(&search->study, search->session, pass, err) ||
        !space_init(&search->space, search->session, err) ||
        !start_board(search, trial, err) || !plant_seed(search, err) ||
        !reflection_form_init(&search->form, search->session, &options, err))
        return false;
    search->outlook =
        outlook_of(&search->space, &search->board, &search->study, deviation);
    search->post = (struct post){.form = &search->form,
                                 .temperature = search->params->temperature};
    session_keep_back(search->session, PROOF_ROWS);
    return true;
}

// --- what the runs of the leader, or of one like it, say

struct findings {
    const struct entry *patient; // whose runs these are
    struct runs *runs;           // owned
    size_t *places;              // owned: of their rows
    size_t *failed;              // owned: indices of items, by chance
    size_t n_failed;
    struct confusion confusions[CONFUSIONS]; // of the focus
    size_t n_confusions;
};

static void release_findings(struct search *search, struct findings *found)
{
    runs_drop(search->session, found->runs);
    free(found->places);
    free(found->failed);
}

// How many steps there are whose prompts are searched.
static size_t count_searched(const struct search *search)
{
    size_t n = 0;

    for (size_t p = 0; p < search->program->n_predictors; p++)
        n += search->study.searched[p];
    return n;
}

// The step that costs most points; one that was worked on in vain gets its turn
// less often.
static bool choose_focus(struct search *search, const struct findings *found,
                         struct err *err)
{
    const struct runs *runs = found->runs;
    double shares[PROGRAM_MAX_STEPS];
    size_t tried = 0;

    diagnosis_charge(search->session, runs->items, runs->n, search->study.pass,
                     shares);
    if (count_searched(search) > 1 &&
        !credit_measure(&search->study, &search->board, found->patient, runs,
                        found->failed, found->n_failed, shares, &tried, err))
        return false;
    for (size_t p = 0; p < search->program->n_predictors; p++)
        shares[p] /= 1 + (double)search->in_vain[p];
    for (size_t p = 0; p < search->program->n_predictors; p++)
        if (search->study.searched[p] &&
            (!search->study.searched[search->focus] ||
             shares[p] > shares[search->focus]))
            search->focus = p;
    return true;
}

static bool read_runs(struct search *search, size_t round,
                      struct findings *found, struct err *err)
{
    struct rng rng = session_rng(search->session, "failures", round);
    const struct runs *runs = found->runs;
    const struct classes *classes;
    int step;

    for (size_t i = 0; i < runs->n; i++)
        if (diagnosis_failed(&runs->items[i], search->study.pass))
            found->failed[found->n_failed++] = i;
    rng_shuffle(&rng, found->failed, found->n_failed);
    if (!choose_focus(search, found, err))
        return false;
    classes = &search->study.classes[search->focus];
    step = search->program->predictors[search->focus];
    found->n_confusions =
        diagnosis_confusions(classes, step, runs->items, found->places, runs->n,
                             found->confusions, CONFUSIONS);
    return diagnosis_group(classes, step, runs->items, found->places,
                           SHOWN_FAILURES / 2, found->failed, found->n_failed,
                           err);
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

// Whose runs are looked at. Where rows train and validate, demo sets take in
// rows that went wrong, and a candidate is not scored on what it shows: so the
// leader may be right on all rows that are left, and nothing is learned from
// it. Then it is the entry that is most like it, of those that failed often
// enough.
static const struct entry *choose_patient(const struct search *search)
{
    const struct board *board = &search->board;
    const struct entry *patient = search->leader;
    const struct entry *best = NULL;

    if (!session_split(search->session)->shared ||
        count_failures(search, patient) >= FAILURES_LEAST)
        return patient;
    for (size_t i = 0; i < board->n; i++) {
        const struct entry *one = board->entries[i];

        if (one != patient && count_failures(search, one) >= FAILURES_LEAST &&
            (best == NULL || count_alike(search, one, patient) >
                                 count_alike(search, best, patient)))
            best = one;
    }
    return best != NULL ? best : patient;
}

static bool diagnose(struct search *search, size_t round,
                     struct findings *found, struct err *err)
{
    size_t n = search->study.n + 1;

    session_phase(search->session, "diagnosis", 0);
    found->places = calloc(n, sizeof *found->places);
    found->failed = calloc(n, sizeof *found->failed);
    if (found->places == NULL || found->failed == NULL)
        return nomem(err);
    found->patient = choose_patient(search);
    found->runs = study_trace(&search->study, &search->board, found->patient,
                              found->places, err);
    return found->runs != NULL && read_runs(search, round, found, err) &&
           study_harvest(&search->study, &search->board, err);
}

// --- what the space begins with

// The most demos that a step may show, `cap` where the user says nothing.
static size_t most_demos(const struct search *search, size_t cap)
{
    size_t n = search->study.n;

    if (search->params->max_demos >= 0)
        return (size_t)search->params->max_demos;
    if (session_split(search->session)->shared)
        n /= 2; // the rest is to be scored on
    return n < cap ? n : cap;
}

enum set_size { SMALL, MEDIUM, LARGE };

// One demo a label, two, and as many as there may be.
static size_t count_demos(const struct search *search, size_t part,
                          enum set_size size)
{
    size_t labels = classes_count(search->study.covers[part]);
    size_t small = labels > 0 ? labels : DEMOS_PLAIN;
    size_t most = most_demos(search, DEMOS_MOST);
    size_t want = size == SMALL ? small : size == MEDIUM ? small * 2 : most;

    return want < most ? want : most;
}

static const struct {
    enum demo_taste taste;
    enum set_size size;
    const char *kind;
} first_sets[] = {
    {TASTE_VARIED, MEDIUM, "varied, medium"},
    {TASTE_VARIED, LARGE, "varied, large"},
    {TASTE_VARIED, SMALL, "varied, small"},
    {TASTE_HARD, LARGE, "hard, large"},
    {TASTE_HARD, MEDIUM, "hard, medium"},
    {TASTE_CHANCE, LARGE, "chance, large"},
    {TASTE_CHANCE, MEDIUM, "chance, medium"},
};

// SIDE_SETS for a predictor that loses less than another.
enum { FIRST_SETS = sizeof first_sets / sizeof *first_sets, SIDE_SETS = 3 };

static bool make_sets(struct search *search, size_t part, size_t n,
                      struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t most = count_demos(search, part, first_sets[i].size);

        if (most > 0 && !demo_space_cover(&search->space, &search->study, part,
                                          first_sets[i].taste, most,
                                          first_sets[i].kind, i, err))
            return false;
    }
    return true;
}

static bool make_pools(struct search *search, size_t part, struct err *err)
{
    const struct job *job = session_job(search->session);

    for (size_t i = 0; i < job->n_nearest && search->params->max_demos != 0;
         i++)
        if (!demo_space_pool(&search->space, &search->study, part,
                             (size_t)job->nearest[i], err))
            return false;
    return true;
}

static const struct {
    unsigned pieces;
    const char *kind;
} first_texts[] = {
    {PIECE_STRICT, "strict"},
    {PIECE_DEFINED, "defined"},
    {PIECE_STRICT | PIECE_DEFINED | PIECE_CONTRASTED, "all of it"},
    {PIECE_TERSE, "terse"},
    {PIECE_TERSE | PIECE_STRICT | PIECE_DEFINED, "terse, defined"},
};

static bool make_texts(struct search *search, size_t part,
                       const struct findings *found, struct err *err)
{
    size_t confusions = part == search->focus ? found->n_confusions : 0;

    for (size_t i = 0; i < sizeof first_texts / sizeof *first_texts; i++) {
        int number;

        if (!text_space_write(&search->space, &search->study, part, 0,
                              first_texts[i].pieces, found->confusions,
                              confusions, first_texts[i].kind, &number, err))
            return false;
        if (first_texts[i].pieces == PIECE_DEFINED)
            search->defined[part] = number;
    }
    return true;
}

static const char hint_define[] =
    "Say for every allowed value what the inputs have in common for which it "
    "is right, and what tells it from the others.";
static const char hint_plain[] =
    "Say what makes an answer right, by what these examples have in common.";
static const char hint_scratch[] =
    "There is no instruction yet: write one from the examples alone.";
static const char hint_mistakes[] =
    "Give a rule for each kind of mistake: what tells the right answer from "
    "the one that was given.";

// A letter for each few failures, each with the given text, which all of them
// had; up to `most` of them behind the n that are there. Beside the failures
// stand runs that were right with the labels that the failures gave in error.
static void write_mistakes(const struct search *search,
                           const struct findings *found, int parent,
                           size_t most, struct letter *letters, size_t *n)
{
    size_t part = search->focus;
    const struct classes *classes = &search->study.classes[part];
    int step = search->program->predictors[part];
    size_t end = *n + most;

    for (size_t at = 0; at < found->n_failed && *n < end;
         at += SHOWN_FAILURES) {
        struct letter *letter = &letters[(*n)++];
        size_t left = found->n_failed - at;
        size_t shown = left < SHOWN_FAILURES ? left : SHOWN_FAILURES;
        size_t others[SHOWN_CONTRASTS];
        size_t n_others = diagnosis_contrasts(
            classes, step, found->runs->items, found->places, found->runs->n,
            search->study.pass, found->failed + at, shown, others,
            SHOWN_CONTRASTS);

        *letter = (struct letter){.part = part,
                                  .parent = parent,
                                  .hint = hint_mistakes,
                                  .kind = "from mistakes"};
        letter_add_runs(letter, search->program, found->runs,
                        found->failed + at, shown);
        letter_add_runs(letter, search->program, found->runs, others, n_others);
    }
}

// The next examples of the step in the focus that the teacher has not seen, a
// few a letter, in an order in which each few show as many labels as they can.
static bool write_examples(struct search *search, int parent, size_t most,
                           struct letter *letters, size_t *n, struct err *err)
{
    struct study *study = &search->study;
    size_t part = search->focus;
    size_t *seen = &search->seen[part];
    bool labels = classes_count(&study->classes[part]) > 0;
    struct rng rng = session_rng(search->session, "examples", part);
    size_t *places = calloc(study->n + 1, sizeof *places);
    bool *usable = calloc(study->n + 1, sizeof *usable);
    const struct cover_recipe recipe = {
        .usable = usable, .chance = 1, .most = study->n};
    size_t rows = 0;
    bool ok = places != NULL && usable != NULL;

    if (!ok)
        nomem(err);
    for (size_t i = 0; ok && i < study->n; i++)
        usable[i] = true;
    ok = ok && cover_pick(study->covers[part], study->lexicon, &recipe, &rng,
                          places, &rows, err);
    for (; ok && *seen < rows && most > 0; most--) {
        struct letter *letter = &letters[(*n)++];
        size_t end =
            *seen + SHOWN_EXAMPLES < rows ? *seen + SHOWN_EXAMPLES : rows;

        *letter = (struct letter){.part = part,
                                  .parent = parent,
                                  .hint = labels ? hint_define : hint_plain,
                                  .kind = "from examples",
                                  .group = 1};
        for (; ok && *seen < end; (*seen)++)
            ok = letter_add_row(letter, study, places[*seen], err);
        *n -= letter->n == 0; // nothing is known to be right
    }
    free(usable);
    free(places);
    return ok;
}

// From the demos of the first set, as if nothing had been written.
static bool write_afresh(const struct search *search, struct letter *letters,
                         size_t *n, struct err *err)
{
    size_t part = search->focus;
    const struct space_part *from = &search->space.parts[part];

    if (from->n_sets < 2)
        return true;
    letters[*n] = (struct letter){.part = part,
                                  .parent = SPACE_ORPHAN,
                                  .hint = hint_scratch,
                                  .kind = "afresh"};
    return letter_add_examples(&letters[(*n)++], search->program,
                               &from->sets[1].list, err);
}

// Asks the teacher for texts from what went wrong with this one, and from some
// of the examples.
static bool ask(struct search *search, const struct findings *found, int text,
                struct err *err)
{
    size_t most = (size_t)search->params->proposals;
    size_t batches = most * EXAMPLE_LETTERS;
    bool first = search->seen[search->focus] == 0;
    struct letter *letters = calloc(most + batches + 2, sizeof *letters);
    size_t n = 0;
    bool ok = letters != NULL;

    if (!ok)
        err_nomem(err, "letters to the teacher");
    ok = ok && write_examples(search, text, batches, letters, &n, err) &&
         (!first || most == 0 || write_afresh(search, letters, &n, err));
    if (ok)
        write_mistakes(search, found, text, most, letters, &n);
    if (ok && n > 0)
        ok = text_space_ask(&search->space, &search->post, letters, n, err);
    if (ok && n > 0 && first)
        ok = text_space_gather(&search->space, search->focus, text, NULL, 0,
                               "all that was said", err) &&
             text_space_gather(&search->space, search->focus,
                               search->defined[search->focus], NULL, 0,
                               "defined, and all that was said", err);
    for (size_t i = 0; i < n; i++)
        letter_release(&letters[i]);
    free(letters);
    return ok;
}

static bool fill_space(struct search *search, struct err *err)
{
    struct findings found = {0};
    bool ok = diagnose(search, 0, &found, err);

    if (ok)
        session_phase(search->session, "prompts", 0);
    for (size_t p = 0; ok && p < search->program->n_predictors; p++)
        if (search->study.searched[p])
            ok = make_texts(search, p, &found, err) &&
                 make_sets(search, p,
                           p == search->focus ? FIRST_SETS : SIDE_SETS, err) &&
                 make_pools(search, p, err);
    ok = ok && ask(search, &found,
                   search->leader->choices[space_at_text(search->focus)], err);
    release_findings(search, &found);
    return ok;
}

// --- the screen

// Up to SCREEN_ROWS rows that are open to the entry, from a place on that
// differs from combination to combination; beyond the span of the screen only
// where its demos leave too few there.
static bool screen_entry(struct search *search, struct entry *entry,
                         size_t number, struct err *err)
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
           outlook_learn(&search->outlook, SOFT, err);
}

// Of the predictor that matters most each text and each set is met as often as
// the others. The rest of the combination is drawn for every other one only,
// and stays as the leader has it (at first, as written) for those between: an
// earlier step that is left alone gives the answers that are there already, and
// so costs nothing.
static void first_choices(struct search *search, size_t cell, struct rng *rng,
                          int *choices)
{
    size_t text = space_at_text(search->focus);
    size_t set = space_at_demos(search->focus);
    size_t texts = space_count(&search->space, text);
    size_t sets = space_count(&search->space, set);

    for (size_t at = 0; at < search->space.n_choices; at++)
        choices[at] = (int)rng_below(rng, space_count(&search->space, at));
    for (size_t at = 0; cell % 2 == 0 && at < search->space.n_choices; at++)
        choices[at] = search->leader->choices[at];
    choices[text] = (int)(cell % texts);
    choices[set] = (int)((cell + cell / texts * 3 + 1) % sets);
}

static bool first_screen(struct search *search, struct err *err)
{
    struct rng rng = session_rng(search->session, "screen", 0);
    int *choices = calloc(search->space.n_choices + 1, sizeof *choices);
    bool ok = choices != NULL;

    if (!ok)
        nomem(err);
    session_phase(search->session, "screen", SCREEN_CELLS);
    for (size_t cell = 0; ok && cell < SCREEN_CELLS; cell++) {
        struct entry *entry;

        first_choices(search, cell, &rng, choices);
        entry = enter(search, choices, err);
        ok = entry != NULL;
        if (ok && entry != search->baseline && entry->asked == NULL)
            ok = screen_entry(search, entry, cell, err);
    }
    free(choices);
    return ok && end_screen(search, err);
}

// A combination that could be tried: the leader's with one or two choices
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
    option->value = guess.mean + guess.deviation;
    option->no = *n;
    list[(*n)++] = *option;
}

// All texts and sets of the predictor that matters most with each other, and
// every other choice by itself; best hope first. The caller frees.
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
        nomem(err);
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

// Whether enough others of the screen share a choice with this one.
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

// The leader with one or two choices changed joins the screen, unless it was
// tried; *n counts those that joined.
static bool screen_option(struct search *search, const struct option *option,
                          size_t number, size_t *n, struct err *err)
{
    const size_t bytes = search->space.n_choices * sizeof(int);
    int *choices = malloc(bytes + sizeof(int));
    struct entry *entry = NULL;
    bool ok = choices != NULL;

    if (!ok)
        return nomem(err);
    memcpy(choices, search->leader->choices, bytes);
    choices[option->at[0]] = option->choice[0];
    choices[option->at[1]] = option->choice[1];
    entry = enter(search, choices, err);
    ok = entry != NULL;
    if (ok && entry->n == 0 && entry->asked == NULL) {
        ok = screen_entry(search, entry, number, err);
        (*n)++;
    }
    free(choices);
    return ok;
}

// The leader with half of its demos: whatever is hoped of it, so that the
// search does not end up with ever more of them.
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

// What the model hopes most of and nobody has tried.
static bool next_screen(struct search *search, size_t round, struct err *err)
{
    enum { MOST = SCREEN_CELLS / 2 };
    struct option taken[MOST];
    size_t n = 0, n_taken = 0, screened = 0;
    struct option *options = NULL;
    bool ok;

    session_phase(search->session, "screen", MOST);
    ok = screen_half(search, round, &screened, err) &&
         outlook_learn(&search->outlook, SOFT, err);
    options = ok ? list_options(search, &n, err) : NULL;
    ok = options != NULL;
    for (size_t i = 0; ok && i < n && screened < MOST; i++) {
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

// --- the race, and who leads

// It is told to the session, so that whoever stops the search gets it.
static void crown(struct search *search, struct entry *entry)
{
    search->leader = entry;
    if (entry->trial != NULL && entry->trial->n > 0)
        session_set_best(search->session, entry->trial);
}

static bool race(struct search *search, struct err *err)
{
    struct entry *winner = NULL;

    session_phase(search->session, "race", 0);
    if (!race_run(&search->outlook, &rules, search->leader, &winner, err))
        return false;
    if (winner == search->leader)
        search->in_vain[search->focus]++;
    else
        memset(search->in_vain, 0, sizeof search->in_vain);
    crown(search, winner);
    return true;
}

// The rest of the baseline. A part of it is enough to search with, so that a
// small budget is not gone before the search begins.
static bool complete_baseline(struct search *search, struct err *err)
{
    struct board *board = &search->board;
    size_t *places = calloc(board->n_rows + 1, sizeof *places);
    bool ok = places != NULL;

    if (!ok)
        nomem(err);
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

// --- reflection

// Near enough to normal, and the same on every machine.
static double draw_luck(struct rng *rng)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += rng_double(rng);
    return sum;
}

// What the teacher said, without what seems to do harm; where it is `drawn`,
// without what might, by chance: sentences that always stood together cannot be
// told apart.
static bool weed(struct search *search, size_t part, int text, bool drawn,
                 struct rng *rng, struct err *err)
{
    size_t n = search->outlook.sayings[part].n;
    double *worth = calloc(n + 1, sizeof *worth);
    bool ok = worth != NULL;

    if (!ok)
        return nomem(err);
    for (size_t i = 0; i < n; i++) {
        struct effect_guess guess = outlook_saying(&search->outlook, part, i);
        double luck = drawn ? draw_luck(rng) : 0;

        worth[i] = guess.mean + (TRUST + luck) * guess.deviation;
    }
    ok = n == 0 || text_space_gather(&search->space, part, text, worth, n,
                                     drawn ? "drawn" : "weeded", err);
    free(worth);
    return ok;
}

static bool new_texts(struct search *search, const struct findings *found,
                      size_t round, struct err *err)
{
    size_t part = search->focus;
    int text = search->leader->choices[space_at_text(part)];
    struct rng rng = session_rng(search->session, "weed", round);

    return ask(search, found, text, err) &&
           weed(search, part, text, false, &rng, err) &&
           weed(search, part, text, true, &rng, err) &&
           weed(search, part, text, true, &rng, err) &&
           text_space_write(&search->space, &search->study, part, text,
                            PIECE_CONTRASTED, found->confusions,
                            found->n_confusions, "contrasted", NULL, err);
}

static bool new_sets(struct search *search, size_t round, struct err *err)
{
    struct space *space = &search->space;
    struct study *study = &search->study;
    size_t part = search->focus;
    int set = search->leader->choices[space_at_demos(part)];
    struct rng rng = session_rng(search->session, "mend", round);
    const struct demo_list *list = &space->parts[part].sets[set].list;
    bool pool = list->nearest > 0;
    size_t shown = demo_list_shows(list);
    size_t most =
        most_demos(search, shown < DEMOS_MOST ? DEMOS_MOST : shown + shown / 2);
    uint64_t draw = FIRST_SETS * (round + 1);

    if (most > GROWN_MOST && search->params->max_demos < 0)
        most = GROWN_MOST;
    if (most == 0)
        return true;
    return (pool ||
            (demo_space_mend(space, study, part, set, 4, most, &rng, err) &&
             demo_space_mend(space, study, part, set, 8, most, &rng, err))) &&
           demo_space_cover(space, study, part, TASTE_HARD, most, "hard, large",
                            draw, err) &&
           demo_space_cover(space, study, part, TASTE_CHANCE, most,
                            "chance, large", draw + 1, err) &&
           (pool || demo_space_turn(space, study, part, set, err));
}

static bool reflect(struct search *search, size_t round, struct err *err)
{
    struct findings found = {0};
    bool ok = diagnose(search, round, &found, err);

    if (ok)
        session_phase(search->session, "prompts", 0);
    ok = ok && new_texts(search, &found, round, err) &&
         new_sets(search, round, err);
    release_findings(search, &found);
    return ok;
}

// --- the whole

// Whether the leader is right wherever it may be scored: then nothing can be
// seen to be better.
static bool is_perfect(const struct search *search)
{
    const struct entry *leader = search->leader;
    size_t open = 0;

    for (size_t i = 0; i < search->board.n_rows; i++)
        open += !leader->closed[i];
    return leader->n > 0 && leader->n == open &&
           leader->sum >= (double)leader->n - 1e-9;
}

static bool explore(struct search *search, struct err *err)
{
    size_t rows = search->board.n_rows;
    size_t kept = 2 * rows < search->limit / 2 ? 2 * rows : search->limit / 2;
    size_t idle = 0, perfect = 0;

    if (!fill_space(search, err) || !first_screen(search, err) ||
        !race(search, err))
        return false;
    for (size_t round = 1; search->board.asked + kept < search->limit &&
                           idle < IDLE_ROUNDS && perfect < PERFECT_ROUNDS;
         round++) {
        size_t before = search->board.asked;

        if (!reflect(search, round, err) || !next_screen(search, round, err) ||
            !race(search, err))
            return false;
        idle = search->board.asked == before ? idle + 1 : 0;
        perfect += is_perfect(search);
    }
    return true;
}

// The rows that the entry was scored on, the first `most` of them. The caller
// frees.
static size_t *list_rows(const struct search *search, const struct entry *entry,
                         size_t most, size_t *n, struct err *err)
{
    size_t *rows = calloc(search->board.n_rows + 1, sizeof *rows);

    *n = 0;
    if (rows == NULL)
        nomem(err);
    for (size_t i = 0; rows != NULL && i < search->board.n_rows; i++)
        if (entry->known[i] && *n < most)
            rows[(*n)++] = search->board.rows[i];
    return rows;
}

// The entry's answers drawn once more; NULL on failure.
static struct trial *draw_again(struct search *search, struct entry *entry,
                                size_t most, struct err *err)
{
    size_t n = 0;
    size_t *rows = list_rows(search, entry, most, &n, err);
    struct trial *again = NULL;

    if (rows != NULL)
        again = session_again(search->session, entry->candidate, rows, n,
                              FRESH_DRAW, err);
    free(rows);
    return again;
}

// How far a score on all rows moves by itself, from a few rows drawn twice:
// the deviation of a mean of so many. 0 for a model that answers alike.
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

// Where the model does not answer alike, the finalists' scores are what they
// are by luck as well, and they were chosen for them. So they and the baseline
// get fresh answers to all their rows.
static bool freshen(struct search *search, const struct racer *racers, size_t n,
                    struct err *err)
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
    if (ok) // of a mean of two
        search->noise /= sqrt(2);
    return ok;
}

static bool confirm(struct search *search, struct err *err)
{
    struct racer *racers = calloc(search->board.n + 1, sizeof *racers);
    size_t n = 0;
    bool ok = racers != NULL;

    if (!ok)
        return nomem(err);
    session_phase(search->session, "confirm", FINALISTS);
    ok = complete_baseline(search, err) &&
         outlook_learn(&search->outlook, TIES, err);
    if (ok)
        n = race_rank(&search->outlook, CAUTION, racers);
    n = n < FINALISTS ? n : FINALISTS;
    ok = ok && race_block(&search->outlook, racers, n, search->board.n_rows,
                          TIES, "confirm", err);
    ok = ok && (n == 0 || measure_noise(search, racers[0].entry, err));
    if (ok && search->noise > 0)
        ok = freshen(search, racers, n, err);
    free(racers);
    return ok;
}

// --- proof, where the budget ended the search

// Of those that are not the baseline the one that looks best; NULL: none.
static struct entry *choose_hopeful(const struct search *search,
                                    const struct racer *racers, size_t n)
{
    size_t i = 0;

    while (i < n && racers[i].entry == search->baseline)
        i++;
    return i < n ? racers[i].entry : NULL;
}

// Whether a test can tell the entry from the baseline: they share enough rows,
// or all that there are.
static bool is_tested(const struct search *search, const struct entry *entry)
{
    const struct entry *baseline = search->baseline;
    size_t both = 0, open = 0;

    for (size_t i = 0; i < search->board.n_rows; i++) {
        open += !entry->closed[i] && !baseline->closed[i];
        both += entry->known[i] && baseline->known[i];
    }
    return entry == baseline || both >= COMPARISON_LEAST || both == open;
}

// Whom the next rows go to. Who was begun with is gone on with until a test can
// tell, unless another looks better than luck explains: else the last rows are
// spread over several, and in the end no test can tell of any.
static struct entry *choose_proven(const struct search *search,
                                   struct entry *begun, struct racer *racers)
{
    const struct outlook *outlook = &search->outlook;
    struct entry *best =
        choose_hopeful(search, racers, race_rank(outlook, CAUTION, racers));
    struct effect_guess had;

    if (best == NULL || begun == NULL || is_tested(search, begun))
        return best;
    had = outlook_guess(outlook, begun->choices);
    return had.mean + had.deviation >=
                   outlook_guess(outlook, best->choices).mean
               ? begun
               : best;
}

// Places that `entry` may be scored on and is not yet, and where `other` is
// known or (anywhere) could be; at most n. Returns how many.
static size_t list_open(const struct search *search, const struct entry *entry,
                        const struct entry *other, bool anywhere, size_t n,
                        size_t *places)
{
    size_t found = 0;

    for (size_t i = 0; i < search->board.n_rows && found < n; i++)
        if (!entry->known[i] && !entry->closed[i] &&
            (other->known[i] || (anywhere && !other->closed[i])))
            places[found++] = i;
    return found;
}

// Scores whoever looks best by now on some more rows, first on those that the
// baseline was scored on; then the baseline on more of them. *n: how many. They
// are not many more at once than it knows, so that whoever disappoints does so
// early. *begun: who it was the last time, and is this time.
static bool prove_some(struct search *search, size_t most, struct racer *racers,
                       size_t *places, struct entry **begun, size_t *n,
                       struct err *err)
{
    struct entry *entry, *asked;
    size_t step;

    *n = 0;
    if (!outlook_learn(&search->outlook, TIES, err))
        return false;
    entry = asked = *begun = choose_proven(search, *begun, racers);
    if (entry == NULL)
        return true;
    step = entry->n / 2 > PROOF_STEP ? entry->n / 2 : PROOF_STEP;
    step = step < most ? step : most;
    *n = list_open(search, entry, search->baseline, false, step, places);
    if (*n == 0) {
        asked = search->baseline;
        *n = list_open(search, asked, entry, true, step, places);
    }
    return *n == 0 || board_score(&search->board, asked, places, *n, err);
}

// What is known of the best by now is most likely a score on a few rows, and
// lucky. What is left of the budget goes to rows that the baseline was scored
// on, so that a test can tell.
static bool prove(struct search *search, struct err *err)
{
    struct racer *racers = calloc(search->board.n + 1, sizeof *racers);
    size_t *places = calloc(search->board.n_rows + 1, sizeof *places);
    struct entry *begun = NULL;
    size_t most = SIZE_MAX, n = 1;
    bool ok = racers != NULL && places != NULL;

    if (!ok)
        nomem(err);
    session_phase(search->session, "proof", 0);
    while (ok && n > 0 && most > 0) {
        ok = prove_some(search, most, racers, places, &begun, &n, err);
        if (!ok && err->code == ERR_BUDGET) {
            *err = ERR_CLEAR;
            ok = true;
            most = n / 2;
        }
    }
    free(places);
    free(racers);
    return ok;
}

// --- the end

// Of a pool, as many demos as are shown, of the mean length.
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
            json_put(&text, part->demos[i].fields, false);
        ok = buf_ok(&text, "a prompt", err);
        *bytes += strlen(part->instruction);
        if (part->n_demos > 0)
            *bytes += text.len * candidate_part_shows(part) / part->n_demos;
    }
    buf_release(&text);
    return ok;
}

// Of those that are as good as the first, by less than can be measured, the one
// with the shortest prompt.
static bool choose_short(const struct search *search,
                         const struct racer *racers, size_t n,
                         struct entry **best, struct err *err)
{
    double alike = fmax(ALIKE, search->noise);
    size_t shortest = SIZE_MAX;

    for (size_t i = 0; i < n && racers[i].value > racers[0].value - alike;
         i++) {
        size_t bytes = 0;

        if (!measure_prompt(racers[i].entry->candidate, &bytes, err))
            return false;
        if (bytes < shortest)
            *best = racers[i].entry;
        if (bytes < shortest)
            shortest = bytes;
    }
    return true;
}

// The best of those that a test can tell from the baseline; without any it is
// the baseline. *rival: who looks best of the others, tested or not, or NULL.
static bool choose_best(struct search *search, struct entry **best,
                        struct entry **rival, struct err *err)
{
    struct racer *racers = calloc(search->board.n + 1, sizeof *racers);
    size_t n = 0, all;
    bool ok = racers != NULL;

    if (!ok)
        return nomem(err);
    *best = search->baseline;
    ok = outlook_learn(&search->outlook, TIES, err);
    if (ok) {
        all = race_rank(&search->outlook, CAUTION, racers);
        *rival = choose_hopeful(search, racers, all);
        for (size_t i = 0; i < all; i++)
            if (is_tested(search, racers[i].entry))
                racers[n++] = racers[i];
        ok = choose_short(search, racers, n, best, err);
    }
    free(racers);
    return ok;
}

// The best by what is known, if it beats the program as written.
static bool decide(struct search *search, struct err *err)
{
    struct entry *best = NULL, *rival = NULL;
    struct board_pairs pairs = {0};

    if (!choose_best(search, &best, &rival, err) ||
        !board_compare(&search->board, search->baseline, best, &pairs, err))
        return false;
    if (best != search->baseline && pairs.p_value >= SHIPPED_BELOW) {
        rival = best;
        best = search->baseline;
    }
    session_set_baseline(search->session, search->baseline->trial);
    crown(search, best);
    if (best == search->baseline && rival != NULL)
        session_set_rival(search->session, rival->trial);
    if (search->cut)
        session_set_finish(search->session, "budget");
    else if (best != search->baseline && is_perfect(search))
        session_set_finish(search->session, "perfect");
    else if (best == search->baseline)
        session_set_finish(search->session, "no_difference");
    return true;
}

// What is under way still counts, unless the budget cut it short.
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

    session_keep_back(search->session, 0);
    if (ok && search->cut)
        ok = prove(search, err);
    return ok && decide(search, err);
}

static void release(struct search *search)
{
    reflection_form_release(&search->form);
    outlook_release(&search->outlook);
    board_release(&search->board);
    space_release(&search->space);
    study_release(&search->study);
}

static bool run(struct session *session, const void *given, struct err *err)
{
    const struct params *values = given;
    struct search search = {
        .session = session,
        .params = values,
        .program = session_job(session)->program,
        .limit = (size_t)(values->evaluations > 0 ? values->evaluations
                                                  : sizes[values->size]),
    };
    bool ok =
        start(&search, err) &&
        finish(&search, explore(&search, err) && confirm(&search, err), err);

    release(&search);
    return ok;
}

const struct optimizer screen_and_race = {
    .name = "screen_and_race",
    .help = "many prompts screened on few examples, the best raced in pairs",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct params),
    .logprobs = true,
    .pools = true,
    .early = true,
    .seeds = true,
    .run = run,
};
