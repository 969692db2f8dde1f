// screen_and_race: many prompts on few examples each, the best of them raced
// on the same examples, and what still goes wrong turned into new prompts.
//
//   diagnose   the baseline's own runs: which step loses the points, which
//              labels are mistaken for each other, which rows are hard
//   stock      instructions (ours from the examples' words, the teacher's from
//              examples and failures) and demo sets that cover every label
//   screen     combinations on a few rows each; a model of the scores
//              (toolkit/effects.h) tells from them what each part is worth,
//              also in combinations that were not tried
//   race       the most promising on nested blocks of rows; at the end of each
//              block those drop out that a paired test finds worse, and the
//              lower half
//   reflect    instructions from what the leader gets wrong, demo sets that
//              mend it; back to the screen
//   confirm    the best few on all rows; the winner ships if a paired test
//              finds it better than the program as written, else that does
//
// Why each part is there, and what it is worth: docs/optimizers.md.
//
// It does not plan by the budget: its size is its own parameter, and a budget
// that is smaller cuts it where it stands. So it is built to be good early: the
// screen comes first, and whatever is known when it ends decides.

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "search/optimizers/optimizer.h"
#include "common/stats.h"
#include "search/toolkit/bank.h"
#include "search/toolkit/board.h"
#include "search/toolkit/classes.h"
#include "search/toolkit/cover.h"
#include "search/toolkit/diagnosis.h"
#include "search/toolkit/effects.h"
#include "search/toolkit/instruction.h"
#include "search/toolkit/lexicon.h"
#include "search/toolkit/reflection.h"
#include "search/toolkit/stock.h"
#include "search/toolkit/teacher.h"
#include "search/toolkit/wording.h"

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
    {"proposals", PARAM_INT, AT(proposals), 0, 100, 3, NULL,
     "instructions that the teacher is asked for a round"},
    {"temperature", PARAM_NUMBER, AT(temperature), 0, 2, 1, NULL,
     "temperature at which instructions are written"},
    {"seed", PARAM_INT, AT(seed), 0, 9e15, 9, NULL, "of the random numbers"},
};

enum {
    TRAIN_MOST = 400,  // rows that are looked at for demos
    TRACED_MOST = 40,  // rows to train on that are run, where none was scored
    DEMOS_MOST = 32,   // of a step, unless max_demos says more
    DEMOS_PLAIN = 4,   // of the smallest set, where there are no labels
    SCREEN_CELLS = 16, // of the first screen; half of it later
    SCREEN_ROWS = 4,   // a combination
    SCREEN_POOL = 24,  // rows that the screen uses
    RACERS = 6,
    FINALISTS = 3,
    FAILURES_SHOWN = 6,
    CONFUSIONS = 6,
    IDLE_ROUNDS = 2, // without anything new, and the search is over
    CASES_MOST = 16,
};

// Deviations of the effects, as shares of the deviation of a single score.
static const double TEXT_DEVIATION = 0.25;
static const double DEMOS_DEVIATION = 0.25;
static const double SLOPE_DEVIATION = 0.15; // a doubling of the demos
static const double PAIR_DEVIATION = 0.12;
static const double ROW_DEVIATION = 0.6;
static const double NOISE_DEVIATION = 0.8;
static const double LEAST_DEVIATION = 0.1; // of a single score
static const double INHERITED = 0.8;       // of what a parent's text is worth

static const double SOFT = 0.5;          // of a score, early; see softened
static const double DROPPED_BELOW = 0.1; // a racer this unlikely to be as good
static const double SHIPPED_BELOW = 0.1; // a winner this unlikely by chance

// Where a choice comes from: the number of the choice that it was made of.
struct lineage {
    int *parents; // owned: by number; -1: of none
    size_t n;
};

struct search {
    struct session *session;
    const struct params *params;
    const struct program *program;
    size_t limit;  // evaluations
    size_t *train; // owned: rows for demos; known by place
    size_t n_train;
    bool *searched;          // by predictor; owned, as all below
    struct classes *classes; // by predictor, over train
    double *hard;            // by place of train: 1 wrong, 0 right
    struct lexicon *lexicon; // over train
    struct bank *bank;
    struct stock stock;
    struct lineage *lineages; // by predictor and side
    struct board board;
    struct entry *baseline; // borrowed from the board, as the next
    struct entry *leader;
    size_t focus;     // the predictor that most failures are charged to
    double pass;      // score from which a run is right
    double deviation; // of a single score
    struct effects *effects;
    size_t *columns; // first effect of each predictor and side
    struct reflection_form form;
    int64_t draws; // of the teacher so far
    bool cut;      // by the budget
};

static size_t n_parts(const struct search *search)
{
    return search->program->n_predictors;
}

static bool nomem(struct err *err)
{
    err_nomem(err, "a search");
    return false;
}

// --- the start

static bool choose_train(struct search *search, struct err *err)
{
    const struct split *split = session_split(search->session);
    size_t n = split->n[SHARE_TRAIN];

    search->n_train = n < TRAIN_MOST ? n : TRAIN_MOST;
    search->train = calloc(search->n_train + 1, sizeof *search->train);
    if (search->train == NULL)
        return nomem(err);
    memcpy(search->train, split->rows[SHARE_TRAIN],
           search->n_train * sizeof *search->train);
    return true;
}

static bool read_classes(struct search *search, struct err *err)
{
    const struct dataset *dataset = session_dataset(search->session);
    size_t parts = n_parts(search);

    search->searched = calloc(parts + 1, sizeof *search->searched);
    search->classes = calloc(parts + 1, sizeof *search->classes);
    search->lineages =
        calloc(parts * STOCK_SIDES + 1, sizeof *search->lineages);
    search->columns = calloc(parts * STOCK_SIDES + 1, sizeof *search->columns);
    search->hard = calloc(search->n_train + 1, sizeof *search->hard);
    if (search->searched == NULL || search->classes == NULL ||
        search->lineages == NULL || search->columns == NULL ||
        search->hard == NULL)
        return nomem(err);
    for (size_t p = 0; p < parts; p++) {
        int step = search->program->predictors[p];

        search->searched[p] = session_plan(search->session)->runs[step];
        if (search->searched[p] &&
            !classes_read(search->program, dataset, step, search->train,
                          search->n_train, &search->classes[p], err))
            return false;
    }
    search->lexicon = lexicon_new(dataset, search->train, search->n_train, err);
    return search->lexicon != NULL;
}

static int compare_scores(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

// What counts as right, and how far scores spread. Where the metric grades, the
// best quarter of the baseline's runs is right.
static bool weigh_scores(struct search *search, const struct trial *baseline,
                         struct err *err)
{
    double *scores = calloc(baseline->n_rows + 1, sizeof *scores);
    double mean = baseline->score, square = 0;
    size_t n = 0;

    if (scores == NULL)
        return nomem(err);
    for (size_t i = 0; i < baseline->n_rows; i++)
        if (baseline->scored[i])
            scores[n++] = baseline->scores[i];
    for (size_t i = 0; i < n; i++)
        square += (scores[i] - mean) * (scores[i] - mean);
    search->pass = 1;
    search->deviation = 0.5;
    if (n > 0 && !stats_binary(scores, n)) {
        qsort(scores, n, sizeof *scores, compare_scores);
        search->pass = fmax(scores[n * 3 / 4], 1e-9);
        search->deviation = fmax(LEAST_DEVIATION, sqrt(square / (double)n));
    }
    free(scores);
    return true;
}

static bool start_board(struct search *search, struct err *err)
{
    const struct split *split = session_split(search->session);
    size_t n_trials = 0;
    struct trial *trial = session_trials(search->session, &n_trials)[0];
    int *zeros = calloc(n_parts(search) * STOCK_SIDES + 1, sizeof *zeros);
    bool ok = zeros != NULL;

    if (!ok)
        nomem(err);
    ok = ok &&
         board_init(&search->board, search->session, split->rows[SHARE_VAL],
                    split->n[SHARE_VAL], n_parts(search) * STOCK_SIDES, err);
    if (ok)
        search->baseline =
            board_enter(&search->board, trial->candidate, zeros, err);
    free(zeros);
    if (search->baseline == NULL)
        return false;
    board_read(&search->board, search->baseline, trial);
    search->leader = search->baseline;
    return weigh_scores(search, trial, err);
}

static bool note_parent(struct search *search, size_t part,
                        enum stock_side side, int number, int parent,
                        struct err *err)
{
    struct lineage *lineage = &search->lineages[part * STOCK_SIDES + side];
    int *more;

    if ((size_t)number < lineage->n)
        return true;
    more = realloc(lineage->parents, ((size_t)number + 1) * sizeof *more);
    if (more == NULL)
        return nomem(err);
    lineage->parents = more;
    while (lineage->n <= (size_t)number)
        lineage->parents[lineage->n++] = -1;
    lineage->parents[number] = parent;
    return true;
}

// --- the stock: texts

// Takes text. NULL or unfit: nothing is added, which is no failure.
static bool keep_text(struct search *search, size_t part, struct buf *text,
                      const char *kind, int parent, struct err *err)
{
    int number = 0;

    if (text->no_memory)
        return nomem(err);
    if (text->failed || text->len == 0)
        return true;
    return stock_add_text(&search->stock, part, text->data, kind, &number,
                          err) &&
           note_parent(search, part, STOCK_TEXT, number, parent, err);
}

static struct wording wording_of(const struct search *search, size_t part)
{
    return (struct wording){
        .step = program_predictor(search->program, part),
        .dataset = session_dataset(search->session),
        .rows = search->train,
        .classes = &search->classes[part],
        .lexicon = search->lexicon,
    };
}

enum piece { STRICT = 1, DEFINED = 2, CONTRASTED = 4, TERSE = 8 };

// base, or what is written of TERSE, and the pieces that there is something to
// say for behind it.
static bool write_text(struct search *search, size_t part, const char *base,
                       unsigned pieces, const struct confusion *confusions,
                       size_t n, const char *kind, int parent, struct err *err)
{
    struct wording wording = wording_of(search, part);
    struct buf text = BUF_INIT(INSTRUCTION_MAX_BYTES);
    bool said = (pieces & (STRICT | TERSE)) != 0;
    bool ok = true;

    if ((pieces & TERSE) != 0)
        wording_terse(&wording, &text);
    else
        buf_puts(&text, base);
    if ((pieces & STRICT) != 0)
        wording_strict(&wording, &text);
    if ((pieces & DEFINED) != 0)
        said =
            wording_defined(&wording, INSTRUCTION_MAX_BYTES / 2, &text) || said;
    if ((pieces & CONTRASTED) != 0)
        said = wording_contrasted(&wording, confusions, n, &text) || said;
    if (said)
        ok = keep_text(search, part, &text, kind, parent, err);
    buf_release(&text);
    return ok;
}

static bool write_texts(struct search *search, size_t part,
                        const struct runs *runs, const size_t *places,
                        struct err *err)
{
    const char *base = search->stock.parts[part].texts[0].text;
    struct confusion confusions[CONFUSIONS];
    size_t n = 0;

    if (runs != NULL)
        n = diagnosis_confusions(&search->classes[part],
                                 search->program->predictors[part], runs->items,
                                 places, runs->n, confusions, CONFUSIONS);
    return write_text(search, part, base, STRICT, NULL, 0, "strict", 0, err) &&
           write_text(search, part, base, DEFINED, NULL, 0, "defined", 0,
                      err) &&
           write_text(search, part, base, STRICT | DEFINED | CONTRASTED,
                      confusions, n, "all of it", 0, err) &&
           write_text(search, part, base, TERSE, NULL, 0, "terse", -1, err) &&
           write_text(search, part, base, TERSE | STRICT | DEFINED, NULL, 0,
                      "terse, defined", -1, err);
}

// --- the stock: demo sets

static size_t most_demos(const struct search *search)
{
    size_t n = search->n_train;

    if (search->params->max_demos >= 0)
        return (size_t)search->params->max_demos;
    if (session_split(search->session)->shared)
        n /= 2; // the rest is to be scored on
    return n < DEMOS_MOST ? n : DEMOS_MOST;
}

enum taste {
    TASTE_VARIED, // unlike each other
    TASTE_HARD,   // what the student got wrong
    TASTE_CHANCE,
};

static bool add_set(struct search *search, size_t part, const size_t *places,
                    size_t n, const char *kind, int parent, struct err *err)
{
    struct demo_list list = {0};
    int number = 0;
    bool ok = bank_fill(search->bank, part, places, n, err);

    for (size_t i = 0; ok && i < n; i++) {
        const struct demo *demo = bank_demo(search->bank, part, places[i]);

        if (demo != NULL)
            ok = demo_list_add(&list, demo, err);
    }
    if (ok && list.n > 0)
        ok = stock_add_demos(&search->stock, part, &list, kind, &number, err) &&
             note_parent(search, part, STOCK_DEMOS, number, parent, err);
    for (size_t i = 0; i < list.n; i++)
        json_decref(list.demos[i].fields);
    free(list.demos);
    return ok;
}

// What each row is worth to a set of that taste. A row that the teacher has to
// be asked for costs a call.
static void like(const struct search *search, size_t part, enum taste taste,
                 const bool *avoid, bool *usable, double *liking)
{
    static const double ASKING = 0.6;

    for (size_t i = 0; i < search->n_train; i++) {
        bool asks = false;

        usable[i] = bank_has(search->bank, part, i, &asks) &&
                    (avoid == NULL || !avoid[i]);
        liking[i] = taste == TASTE_HARD ? search->hard[i] : 0;
        if (asks && taste != TASTE_HARD)
            liking[i] -= ASKING;
    }
}

static bool cover_set(struct search *search, size_t part, enum taste taste,
                      size_t most, const char *kind, uint64_t draw,
                      struct err *err)
{
    size_t n = 0;
    bool *usable = calloc(search->n_train + 1, sizeof *usable);
    double *liking = calloc(search->n_train + 1, sizeof *liking);
    size_t *places = calloc(most + 1, sizeof *places);
    struct rng rng =
        session_rng(search->session, "cover", draw * PROGRAM_MAX_STEPS + part);
    const struct cover_recipe recipe = {
        .usable = usable,
        .liking = liking,
        .variety = taste == TASTE_CHANCE ? 0 : 0.6,
        .chance = taste == TASTE_CHANCE ? 1 : 0.3,
        .most = most,
    };
    bool ok = usable != NULL && liking != NULL && places != NULL;

    if (!ok)
        nomem(err);
    if (ok) {
        like(search, part, taste, NULL, usable, liking);
        ok = cover_pick(&search->classes[part], search->lexicon, &recipe, &rng,
                        places, &n, err) &&
             add_set(search, part, places, n, kind, -1, err);
    }
    free(places);
    free(liking);
    free(usable);
    return ok;
}

struct set_recipe {
    enum taste taste;
    int size; // 0: the smallest that covers; each next one is larger
    const char *kind;
};

static const struct set_recipe first_sets[] = {
    {TASTE_VARIED, 1, "varied, medium"}, {TASTE_VARIED, 2, "varied, large"},
    {TASTE_VARIED, 0, "varied, small"},  {TASTE_HARD, 2, "hard, large"},
    {TASTE_HARD, 1, "hard, medium"},     {TASTE_CHANCE, 2, "chance, large"},
    {TASTE_CHANCE, 1, "chance, medium"},
};

enum { FIRST_SETS = sizeof first_sets / sizeof *first_sets, SIDE_SETS = 3 };

// One demo a label, two, and as many as there may be.
static size_t set_size(const struct search *search, size_t part, int size)
{
    size_t labels = classes_count(&search->classes[part]);
    size_t small = labels > 0 ? labels : DEMOS_PLAIN;
    size_t most = most_demos(search);
    size_t want = size == 0 ? small : size == 1 ? small * 2 : most;

    return want < most ? want : most;
}

static bool cover_sets(struct search *search, size_t part, size_t n,
                       struct err *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < n; i++) {
        size_t most = set_size(search, part, first_sets[i].size);

        if (most > 0)
            ok = cover_set(search, part, first_sets[i].taste, most,
                           first_sets[i].kind, i, err);
    }
    return ok;
}

// --- the stock: texts of the teacher

static json_t *pick_fields(const json_t *fields, const struct field *list,
                           size_t n)
{
    json_t *out = json_object();

    for (size_t i = 0; out != NULL && i < n; i++) {
        json_t *value = json_object_get(fields, list[i].name);

        if (value != NULL && json_object_set(out, list[i].name, value) != 0) {
            json_decref(out);
            out = NULL;
        }
    }
    return out;
}

// A question that is being made: the cases that it shows.
struct letter {
    size_t part;
    int parent; // text that it is about; -1: there is none
    const char *hint;
    const char *kind;
    struct reflection_case cases[CASES_MOST];
    size_t n;
    bool made; // the cases are our own values, and to be freed
};

static void release_letter(struct letter *letter)
{
    for (size_t i = 0; letter->made && i < letter->n; i++) {
        json_decref((json_t *)letter->cases[i].inputs);
        json_decref((json_t *)letter->cases[i].outputs);
    }
}

// Labelled examples as cases that went right.
static bool show_examples(struct search *search, struct letter *letter,
                          const struct demo_list *list, struct err *err)
{
    const struct signature *signature =
        &program_predictor(search->program, letter->part)->signature;

    letter->made = true;
    for (size_t i = 0; i < list->n && letter->n < CASES_MOST; i++) {
        struct reflection_case *one = &letter->cases[letter->n++];

        *one = (struct reflection_case){
            .inputs = pick_fields(list->demos[i].fields, signature->inputs,
                                  signature->n_inputs),
            .outputs = pick_fields(list->demos[i].fields, signature->outputs,
                                   signature->n_outputs),
            .score = 1,
        };
        if (one->inputs == NULL || one->outputs == NULL)
            return nomem(err);
    }
    return true;
}

static void show_failures(const struct search *search, struct letter *letter,
                          const struct runs *runs, const size_t *failed,
                          size_t n)
{
    int step = search->program->predictors[letter->part];

    for (size_t i = 0; i < n && letter->n < FAILURES_SHOWN; i++)
        if (reflection_case_of(&runs->items[failed[i]], step,
                               &letter->cases[letter->n]))
            letter->n++;
}

static bool send_letter(struct search *search, const struct letter *letter,
                        struct question *question, struct err *err)
{
    const struct stock_part *part = &search->stock.parts[letter->part];
    const struct reflection reflection = {
        .step = program_predictor(search->program, letter->part),
        .instruction =
            letter->parent < 0 ? "" : part->texts[letter->parent].text,
        .cases = letter->cases,
        .n_cases = letter->n,
        .hint = letter->hint,
        .temperature = search->params->temperature,
        .draw = search->draws++,
    };

    return reflection_prepare(&search->form, &reflection, question, err) &&
           question_submit(search->session, question, err);
}

// Lines of text that are not in base, appended to out.
static void put_new_lines(const char *text, const char *base, struct buf *out)
{
    for (const char *at = text; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        size_t trimmed = 0;
        const char *line = text_trim(at, len, &trimmed);
        char copy[INSTRUCTION_MAX_BYTES + 1];

        if (trimmed > INSTRUCTION_MAX_BYTES)
            trimmed = INSTRUCTION_MAX_BYTES;
        memcpy(copy, line, trimmed);
        copy[trimmed] = '\0';
        if (trimmed > 0 && strstr(base, copy) == NULL &&
            (out->data == NULL || strstr(out->data, copy) == NULL)) {
            buf_putc(out, '\n');
            buf_append(out, copy, trimmed);
        }
        at += len + (at[len] != '\0');
    }
}

// The answers become texts; what the ones about one text added to it is also
// put together into one.
static bool keep_answers(struct search *search, const struct letter *letters,
                         struct question *questions, size_t n, struct err *err)
{
    struct buf merged = BUF_INIT(INSTRUCTION_MAX_BYTES);
    const char *base = "";
    size_t added = 0;
    size_t part = 0;
    int parent = -1;
    bool ok = true;

    for (size_t i = 0; ok && i < n; i++) {
        struct buf text = BUF_INIT(INSTRUCTION_MAX_BYTES);
        char *answer = NULL;

        ok = question_wait(search->session, &questions[i], err) &&
             reflection_take(&questions[i], &answer, NULL, err);
        if (ok && answer != NULL) {
            buf_puts(&text, answer);
            ok = keep_text(search, letters[i].part, &text, letters[i].kind,
                           letters[i].parent, err);
        }
        if (ok && answer != NULL && letters[i].parent >= 0 &&
            (added == 0 ||
             (letters[i].part == part && letters[i].parent == parent))) {
            part = letters[i].part;
            parent = letters[i].parent;
            base = search->stock.parts[part].texts[parent].text;
            if (added++ == 0)
                buf_puts(&merged, base);
            put_new_lines(answer, base, &merged);
        }
        buf_release(&text);
        free(answer);
    }
    if (ok && added > 1)
        ok = keep_text(search, part, &merged, "put together", parent, err);
    buf_release(&merged);
    return ok;
}

// Asks all letters at once. Questions are released in any case.
static bool write_letters(struct search *search, struct letter *letters,
                          size_t n, struct err *err)
{
    struct question *questions = calloc(n + 1, sizeof *questions);
    size_t sent = 0;
    bool ok = questions != NULL;

    if (!ok)
        nomem(err);
    for (; ok && sent < n; sent++)
        ok = send_letter(search, &letters[sent], &questions[sent], err);
    ok = ok && keep_answers(search, letters, questions, n, err);
    for (size_t i = 0; questions != NULL && i < sent; i++)
        question_release(&questions[i]);
    free(questions);
    return ok;
}

static size_t list_failures(const struct search *search,
                            const struct runs *runs, struct rng *rng,
                            size_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < runs->n; i++)
        if (diagnosis_failed(&runs->items[i], search->pass))
            out[n++] = i;
    rng_shuffle(rng, out, n);
    return n;
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

// The first texts of the teacher for a part: definitions from examples, one
// that does not descend from what the user wrote, and rules from mistakes.
static bool ask_first(struct search *search, size_t part,
                      const struct runs *runs, struct err *err)
{
    const struct stock_part *from = &search->stock.parts[part];
    bool labels = classes_count(&search->classes[part]) > 0;
    const struct demo_list *examples =
        from->n_sets > 1 ? &from->sets[1].list : NULL;
    struct rng rng = session_rng(search->session, "failures", part);
    struct letter *letters = calloc(3, sizeof *letters);
    size_t *failed = calloc((runs != NULL ? runs->n : 0) + 1, sizeof *failed);
    size_t n = 0, n_failed = 0, most = (size_t)search->params->proposals;
    bool ok = letters != NULL && failed != NULL;

    if (!ok)
        nomem(err);
    if (ok && runs != NULL)
        n_failed = list_failures(search, runs, &rng, failed);
    if (ok && examples != NULL && n < most) {
        letters[n] = (struct letter){.part = part,
                                     .hint = labels ? hint_define : hint_plain,
                                     .kind = "from examples"};
        ok = show_examples(search, &letters[n++], examples, err);
    }
    if (ok && examples != NULL && n < most) {
        letters[n] = (struct letter){
            .part = part, .parent = -1, .hint = hint_scratch, .kind = "afresh"};
        ok = show_examples(search, &letters[n++], examples, err);
    }
    if (ok && n_failed > 0 && n < most) {
        letters[n] = (struct letter){
            .part = part, .hint = hint_mistakes, .kind = "from mistakes"};
        show_failures(search, &letters[n++], runs, failed, n_failed);
    }
    ok = ok && write_letters(search, letters, n, err);
    for (size_t i = 0; letters != NULL && i < n; i++)
        release_letter(&letters[i]);
    free(failed);
    free(letters);
    return ok;
}

// --- the model of the scores

static size_t count_effects(struct search *search)
{
    size_t n = 1;

    for (size_t p = 0; p < n_parts(search); p++)
        for (int side = 0; side < STOCK_SIDES; side++) {
            search->columns[p * STOCK_SIDES + (size_t)side] = n;
            n += stock_count(&search->stock, p, (enum stock_side)side) + 1;
        }
    return n + search->board.n;
}

enum { TERMS_MOST = 1 + 64 * 16 };

// The terms of a combination: the mean; for each part its text, and those that
// it descends from; its demo set the same, and how many demos it has (a
// doubling is one); and, where it was tried, the combination as such.
static size_t terms_of(const struct search *search, const int *choices,
                       size_t entry, struct effect_term *out)
{
    size_t n = 0;

    out[n++] = (struct effect_term){0, 1};
    for (size_t p = 0; p < n_parts(search); p++) {
        const struct stock_part *part = &search->stock.parts[p];

        if (!search->searched[p])
            continue;
        for (size_t side = 0; side < STOCK_SIDES; side++) {
            size_t at = p * STOCK_SIDES + side;
            const struct lineage *lineage = &search->lineages[at];
            double value = 1;

            for (int no = choices[at], k = 0; no >= 0 && k < 6; k++) {
                out[n++] = (struct effect_term){
                    search->columns[at] + (size_t)no, value};
                value *= INHERITED;
                no = (size_t)no < lineage->n ? lineage->parents[no] : -1;
            }
        }
        size_t at = p * STOCK_SIDES + STOCK_DEMOS;
        out[n++] = (struct effect_term){
            search->columns[at] + part->n_sets,
            log2(1 + (double)part->sets[choices[at]].list.n)};
    }
    if (entry < search->board.n)
        out[n++] = (struct effect_term){
            search->columns[n_parts(search) * STOCK_SIDES] + entry, 1};
    return n;
}

static void set_deviations(const struct search *search, size_t n,
                           double *deviations)
{
    double one = search->deviation;

    deviations[0] = 2;
    for (size_t i = 1; i < n; i++)
        deviations[i] = PAIR_DEVIATION * one;
    for (size_t p = 0; p < n_parts(search); p++) {
        const struct stock_part *part = &search->stock.parts[p];
        size_t text = search->columns[p * STOCK_SIDES + STOCK_TEXT];
        size_t demos = search->columns[p * STOCK_SIDES + STOCK_DEMOS];

        for (size_t i = 0; i <= part->n_texts; i++)
            deviations[text + i] = TEXT_DEVIATION * one;
        for (size_t i = 0; i < part->n_sets; i++)
            deviations[demos + i] = DEMOS_DEVIATION * one;
        deviations[demos + part->n_sets] = SLOPE_DEVIATION * one;
    }
}

// A score as the model takes it: how likely the right label was says more than
// whether it came out on top, and is no whole truth either.
static double softened(const struct entry *entry, size_t place, double soft)
{
    double score = entry->scores[place];

    if (entry->likely[place] < 0)
        return score;
    return (1 - soft) * score + soft * entry->likely[place];
}

// Learns from all that is on the board. soft: the share of a score that is the
// probability of the right label, where the server tells it.
static bool learn(struct search *search, double soft, struct err *err)
{
    struct effect_term terms[TERMS_MOST];
    size_t n;
    double *deviations;
    bool ok;

    search->columns[n_parts(search) * STOCK_SIDES] = 0;
    n = count_effects(search);
    search->columns[n_parts(search) * STOCK_SIDES] = n - search->board.n;
    deviations = calloc(n, sizeof *deviations);
    if (deviations == NULL)
        return nomem(err);
    set_deviations(search, n, deviations);
    effects_free(search->effects);
    search->effects =
        effects_new(deviations, n, NOISE_DEVIATION * search->deviation,
                    ROW_DEVIATION * search->deviation, err);
    ok = search->effects != NULL;
    for (size_t e = 0; ok && e < search->board.n; e++) {
        const struct entry *entry = search->board.entries[e];
        size_t n_terms = terms_of(search, entry->choices, e, terms);

        for (size_t i = 0; ok && i < search->board.n_rows; i++)
            if (entry->known[i])
                ok = effects_add(search->effects, terms, n_terms, i,
                                 softened(entry, i, soft), err);
    }
    if (ok)
        effects_solve(search->effects);
    free(deviations);
    return ok;
}

// Of a combination, tried (entry is its index) or not (any other).
static struct effect_guess guess(const struct search *search,
                                 const int *choices, size_t entry)
{
    struct effect_term terms[TERMS_MOST];
    size_t n = terms_of(search, choices, entry, terms);
    struct effect_guess out = effects_guess(search->effects, terms, n);

    if (entry >= search->board.n) {
        double pair = PAIR_DEVIATION * search->deviation;
        out.deviation = sqrt(out.deviation * out.deviation + pair * pair);
    }
    return out;
}

// --- the screen

static size_t index_of(const struct search *search, const int *choices)
{
    size_t size = n_parts(search) * STOCK_SIDES * sizeof *choices;

    for (size_t e = 0; e < search->board.n; e++)
        if (memcmp(search->board.entries[e]->choices, choices, size) == 0)
            return e;
    return search->board.n;
}

static struct entry *enter(struct search *search, const int *choices,
                           struct err *err)
{
    struct candidate *candidate = stock_candidate(
        &search->stock, choices, session_baseline(search->session), err);
    struct entry *entry = NULL;

    if (candidate != NULL)
        entry = board_enter(&search->board, candidate, choices, err);
    candidate_unref(candidate);
    return entry;
}

// Up to n open places of entry, from place `from` on and around within the
// first `within`.
static size_t open_places(const struct search *search,
                          const struct entry *entry, size_t from, size_t within,
                          size_t n, size_t *out)
{
    size_t found = 0;

    if (within > search->board.n_rows)
        within = search->board.n_rows;
    for (size_t k = 0; k < within && found < n; k++) {
        size_t place = (from + k) % within;

        if (!entry->known[place] && !entry->closed[place])
            out[found++] = place;
    }
    return found;
}

static bool screen_entry(struct search *search, struct entry *entry, size_t no,
                         struct err *err)
{
    size_t places[SCREEN_ROWS];
    size_t n = open_places(search, entry, no * SCREEN_ROWS, SCREEN_POOL,
                           SCREEN_ROWS, places);

    return board_ask(&search->board, entry, places, n, TRIAL_MINIBATCH,
                     "screen", err);
}

// The first cells: each text and each set as often as the others, paired by
// chance, of the part that matters most; of the others by chance.
static void first_choices(struct search *search, size_t cell, struct rng *rng,
                          int *choices)
{
    for (size_t p = 0; p < n_parts(search); p++) {
        size_t texts = stock_count(&search->stock, p, STOCK_TEXT);
        size_t sets = stock_count(&search->stock, p, STOCK_DEMOS);
        int *text = &choices[p * STOCK_SIDES + STOCK_TEXT];
        int *set = &choices[p * STOCK_SIDES + STOCK_DEMOS];

        *text = *set = 0;
        if (!search->searched[p])
            continue;
        *text = (int)rng_below(rng, texts);
        *set = (int)rng_below(rng, sets);
        if (p != search->focus)
            continue;
        *text = (int)(cell % texts);
        *set = (int)((cell + cell / texts * 3 + 1) % sets);
    }
}

static bool first_screen(struct search *search, struct err *err)
{
    struct rng rng = session_rng(search->session, "screen", 0);
    int *choices = calloc(n_parts(search) * STOCK_SIDES + 1, sizeof *choices);
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
    return ok && board_wait(&search->board, err) && learn(search, SOFT, err);
}

struct option {
    int text, set;
    double value;
};

static int compare_options(const void *a, const void *b)
{
    const struct option *x = a;
    const struct option *y = b;

    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    if (x->text != y->text)
        return x->text - y->text;
    return x->set - y->set;
}

// All combinations of the part that matters most, the others as the leader has
// them, best hope (mean and one deviation) first.
static struct option *list_options(const struct search *search, size_t *n,
                                   struct err *err)
{
    size_t p = search->focus;
    size_t texts = stock_count(&search->stock, p, STOCK_TEXT);
    size_t sets = stock_count(&search->stock, p, STOCK_DEMOS);
    size_t parts = n_parts(search) * STOCK_SIDES;
    struct option *options = calloc(texts * sets, sizeof *options);
    int *choices = calloc(parts + 1, sizeof *choices);

    *n = 0;
    if (options == NULL || choices == NULL) {
        free(options);
        free(choices);
        nomem(err);
        return NULL;
    }
    memcpy(choices, search->leader->choices, parts * sizeof *choices);
    for (size_t t = 0; t < texts; t++)
        for (size_t s = 0; s < sets; s++) {
            struct effect_guess one;

            choices[p * STOCK_SIDES + STOCK_TEXT] = (int)t;
            choices[p * STOCK_SIDES + STOCK_DEMOS] = (int)s;
            one = guess(search, choices, index_of(search, choices));
            options[(*n)++] =
                (struct option){(int)t, (int)s, one.mean + one.deviation};
        }
    free(choices);
    qsort(options, *n, sizeof *options, compare_options);
    return options;
}

// Later screens: what the model hopes most of and has not seen, of one text and
// of one set not too many.
static bool next_screen(struct search *search, size_t round, struct err *err)
{
    enum { OF_ONE = 3 };
    size_t n = 0, asked = 0;
    size_t p = search->focus;
    size_t parts = n_parts(search) * STOCK_SIDES;
    struct option *options = list_options(search, &n, err);
    int *choices = calloc(parts + 1, sizeof *choices);
    int *used_texts = calloc(stock_count(&search->stock, p, STOCK_TEXT) + 1,
                             sizeof *used_texts);
    int *used_sets = calloc(stock_count(&search->stock, p, STOCK_DEMOS) + 1,
                            sizeof *used_sets);
    bool ok = options != NULL && choices != NULL && used_texts != NULL &&
              used_sets != NULL;

    if (!ok)
        nomem(err);
    if (ok)
        memcpy(choices, search->leader->choices, parts * sizeof *choices);
    for (size_t i = 0; ok && i < n && asked < SCREEN_CELLS / 2; i++) {
        const struct option *one = &options[i];
        struct entry *entry;

        if (used_texts[one->text] == OF_ONE || used_sets[one->set] == OF_ONE)
            continue;
        choices[p * STOCK_SIDES + STOCK_TEXT] = one->text;
        choices[p * STOCK_SIDES + STOCK_DEMOS] = one->set;
        entry = enter(search, choices, err);
        ok = entry != NULL;
        if (!ok || entry->n > 0 || entry->asked != NULL)
            continue;
        ok = screen_entry(search, entry, asked + round, err);
        used_texts[one->text]++;
        used_sets[one->set]++;
        asked++;
    }
    free(used_sets);
    free(used_texts);
    free(choices);
    free(options);
    return ok && board_wait(&search->board, err) && learn(search, SOFT, err);
}

// --- the race

struct racer {
    struct entry *entry;
    size_t no; // of the entry on the board
    double value;
};

static int compare_racers(const void *a, const void *b)
{
    const struct racer *x = a;
    const struct racer *y = b;

    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->no > y->no) - (x->no < y->no);
}

// Entries by mean + hope deviations, best first. Room for board.n.
static size_t rank(const struct search *search, double hope,
                   struct racer *racers)
{
    for (size_t e = 0; e < search->board.n; e++) {
        struct entry *entry = search->board.entries[e];
        struct effect_guess one = guess(search, entry->choices, e);

        racers[e] = (struct racer){entry, e, one.mean + hope * one.deviation};
        if (entry->n == 0)
            racers[e].value = -HUGE_VAL;
    }
    qsort(racers, search->board.n, sizeof *racers, compare_racers);
    return search->board.n;
}

static size_t position(const struct racer *racers, size_t n,
                       const struct entry *entry)
{
    size_t i = 0;

    while (i < n && racers[i].entry != entry)
        i++;
    return i;
}

// Those that stay after a block: the best by the model, among those that the
// paired test does not find worse than the first of them.
static bool drop(struct search *search, struct racer *racers, size_t *n,
                 size_t most, struct err *err)
{
    struct racer *ranked = calloc(search->board.n + 1, sizeof *ranked);
    size_t all, kept = 0, were = *n;
    bool ok = ranked != NULL;

    if (!ok)
        return nomem(err);
    all = rank(search, 0, ranked);
    for (size_t i = 0; ok && i < all && kept < most; i++) {
        struct board_pairs pairs;

        if (position(racers, were, ranked[i].entry) == were)
            continue;
        if (kept > 0) {
            ok = board_compare(&search->board, ranked[i].entry, ranked[0].entry,
                               &pairs, err);
            if (ok && pairs.n > 0 && pairs.p_value < DROPPED_BELOW)
                continue;
        }
        ranked[kept++] = ranked[i];
    }
    memcpy(racers, ranked, kept * sizeof *racers);
    *n = kept;
    free(ranked);
    return ok;
}

static bool run_block(struct search *search, const struct racer *racers,
                      size_t n, size_t end, const char *reason, struct err *err)
{
    size_t *places = calloc(end + 1, sizeof *places);
    bool ok = places != NULL;

    if (!ok)
        return nomem(err);
    for (size_t i = 0; i < end; i++)
        places[i] = i;
    for (size_t i = 0; ok && i < n; i++)
        ok = board_ask(&search->board, racers[i].entry, places, end,
                       end == search->board.n_rows ? TRIAL_FULL
                                                   : TRIAL_MINIBATCH,
                       reason, err);
    free(places);
    return ok && board_wait(&search->board, err) && learn(search, SOFT, err);
}

// Who leads from now on. It is told to the session, so that whoever stops the
// search gets it.
static void crown(struct search *search, struct entry *entry)
{
    search->leader = entry;
    if (entry->trial != NULL && entry->trial->n > 0)
        session_set_best(search->session, entry->trial);
}

static bool race(struct search *search, struct err *err)
{
    static const size_t ends[] = {8, 16, 32, 64, SIZE_MAX};
    static const size_t stay[] = {4, 3, 2, 2, 1};
    size_t rows = search->board.n_rows;
    struct racer *racers = calloc(search->board.n + RACERS, sizeof *racers);
    size_t n;
    bool ok = racers != NULL;

    if (!ok)
        return nomem(err);
    n = rank(search, 1, racers);
    n = n < RACERS ? n : RACERS;
    if (position(racers, n, search->leader) == n)
        racers[n - 1].entry = search->leader;
    session_phase(search->session, "race", 0);
    for (size_t b = 0; ok && n > 1; b++) {
        size_t end = ends[b] < rows ? ends[b] : rows;

        ok = run_block(search, racers, n, end, "race", err) &&
             drop(search, racers, &n, stay[b], err);
        if (end == rows)
            break;
    }
    if (ok)
        crown(search, racers[0].entry);
    free(racers);
    return ok;
}

// --- reflection

// Runs of the leader on rows to train on, with the places of these rows.
static struct runs *trace_leader(struct search *search, size_t *places,
                                 struct err *err)
{
    bool shared = session_split(search->session)->shared;
    size_t *rows = calloc(search->n_train + 1, sizeof *rows);
    struct runs *runs = NULL;
    size_t n = 0;

    if (rows == NULL) {
        nomem(err);
        return NULL;
    }
    for (size_t i = 0; i < search->n_train; i++) {
        bool wanted = !shared && n < TRACED_MOST;

        for (size_t k = 0; shared && k < search->board.n_rows; k++)
            if (search->board.rows[k] == search->train[i])
                wanted = search->leader->known[k];
        if (!wanted)
            continue;
        places[n] = i;
        rows[n++] = search->train[i];
    }
    runs = diagnosis_trace(search->session, search->leader->candidate, rows, n,
                           err);
    free(rows);
    return runs;
}

static bool learn_runs(struct search *search, const struct runs *runs,
                       const size_t *places, struct err *err)
{
    for (size_t i = 0; i < runs->n; i++) {
        const struct task_item *item = &runs->items[i];

        if (item->state == ITEM_DONE && item->scored)
            search->hard[places[i]] =
                diagnosis_failed(item, search->pass) ? 1 : 0;
        if (!bank_learn(search->bank, places[i], item, search->pass, err))
            return false;
    }
    return true;
}

static void choose_focus(struct search *search, const struct runs *runs)
{
    double shares[PROGRAM_MAX_STEPS];

    diagnosis_charge(search->session, runs->items, runs->n, search->pass,
                     shares);
    for (size_t p = 0; p < n_parts(search); p++)
        if (search->searched[p] && shares[p] > shares[search->focus])
            search->focus = p;
}

// Groups of failures go to the teacher, each with the leader's text.
static bool ask_again(struct search *search, const struct runs *runs,
                      struct err *err)
{
    size_t part = search->focus;
    int text = search->leader->choices[part * STOCK_SIDES + STOCK_TEXT];
    size_t most = (size_t)search->params->proposals;
    struct rng rng =
        session_rng(search->session, "failures", (uint64_t)search->draws + 100);
    struct letter *letters = calloc(most + 1, sizeof *letters);
    size_t *failed = calloc(runs->n + 1, sizeof *failed);
    size_t n = 0, n_failed = 0;
    bool ok = letters != NULL && failed != NULL;

    if (!ok)
        nomem(err);
    if (ok)
        n_failed = list_failures(search, runs, &rng, failed);
    for (size_t at = 0; ok && at < n_failed && n < most; at += FAILURES_SHOWN) {
        letters[n] = (struct letter){.part = part,
                                     .parent = text,
                                     .hint = hint_mistakes,
                                     .kind = "from mistakes"};
        show_failures(search, &letters[n++], runs, failed + at, n_failed - at);
    }
    ok = ok && write_letters(search, letters, n, err);
    free(failed);
    free(letters);
    return ok;
}

// The place of a demo's row; n_train for one from elsewhere.
static size_t place_of_row(const struct search *search, int row)
{
    size_t i = 0;

    while (i < search->n_train && (int)search->train[i] != row)
        i++;
    return i;
}

// The leader's set with rows that it gets wrong: at the end, in the place of
// as many of its demos, from the end, when there is no room.
static bool mend_set(struct search *search, size_t part, size_t most_new,
                     struct rng *rng, struct err *err)
{
    int set = search->leader->choices[part * STOCK_SIDES + STOCK_DEMOS];
    const struct demo_list *list = &search->stock.parts[part].sets[set].list;
    size_t most = most_demos(search);
    size_t *places = calloc(list->n + search->n_train + 1, sizeof *places);
    size_t *wrong = calloc(search->n_train + 1, sizeof *wrong);
    size_t n = 0, n_wrong = 0;
    bool ok = places != NULL && wrong != NULL;

    if (!ok)
        nomem(err);
    for (size_t i = 0; ok && i < search->n_train; i++)
        if (search->hard[i] > 0 && bank_has(search->bank, part, i, NULL))
            wrong[n_wrong++] = i;
    if (ok)
        rng_shuffle(rng, wrong, n_wrong);
    if (n_wrong > most_new)
        n_wrong = most_new;
    if (n_wrong > most)
        n_wrong = most;
    for (size_t i = 0; ok && i < list->n && n + n_wrong < most; i++) {
        size_t place = place_of_row(search, list->demos[i].row);

        if (place < search->n_train && search->hard[place] == 0)
            places[n++] = place;
    }
    for (size_t i = 0; ok && i < n_wrong; i++)
        places[n++] = wrong[i];
    ok = ok &&
         (n_wrong == 0 || add_set(search, part, places, n, "mended", set, err));
    free(wrong);
    free(places);
    return ok;
}

static bool turn_set(struct search *search, size_t part, struct err *err)
{
    int set = search->leader->choices[part * STOCK_SIDES + STOCK_DEMOS];
    const struct demo_list *list = &search->stock.parts[part].sets[set].list;
    size_t n = 0;
    size_t *places = calloc(list->n + 1, sizeof *places);
    bool ok = places != NULL;

    if (!ok)
        return nomem(err);
    for (size_t i = list->n; i-- > 0;) {
        size_t place = place_of_row(search, list->demos[i].row);

        if (place < search->n_train)
            places[n++] = place;
    }
    ok = n < 2 || add_set(search, part, places, n, "turned", set, err);
    free(places);
    return ok;
}

static bool new_sets(struct search *search, size_t round, struct err *err)
{
    size_t part = search->focus;
    struct rng rng = session_rng(search->session, "mend", round);
    size_t most = most_demos(search);
    uint64_t draw = 100 * (round + 1);

    if (most == 0)
        return true;
    return mend_set(search, part, 4, &rng, err) &&
           mend_set(search, part, 8, &rng, err) &&
           cover_set(search, part, TASTE_HARD, most, "hard, large", draw,
                     err) &&
           cover_set(search, part, TASTE_CHANCE, most, "chance, large",
                     draw + 1, err) &&
           turn_set(search, part, err);
}

static bool new_texts(struct search *search, const struct runs *runs,
                      const size_t *places, struct err *err)
{
    size_t part = search->focus;
    int text = search->leader->choices[part * STOCK_SIDES + STOCK_TEXT];
    struct confusion confusions[CONFUSIONS];
    size_t n = diagnosis_confusions(
        &search->classes[part], search->program->predictors[part], runs->items,
        places, runs->n, confusions, CONFUSIONS);

    return ask_again(search, runs, err) &&
           write_text(search, part, search->stock.parts[part].texts[text].text,
                      CONTRASTED, confusions, n, "contrasted", text, err);
}

static bool reflect(struct search *search, size_t round, struct err *err)
{
    size_t *places = calloc(search->n_train + 1, sizeof *places);
    struct runs *runs = NULL;
    bool ok = places != NULL;

    if (!ok)
        nomem(err);
    session_phase(search->session, "reflect", 0);
    if (ok)
        runs = trace_leader(search, places, err);
    ok = runs != NULL && learn_runs(search, runs, places, err);
    if (ok)
        choose_focus(search, runs);
    ok = ok && new_texts(search, runs, places, err) &&
         new_sets(search, round, err);
    if (runs != NULL)
        runs_drop(search->session, runs);
    free(places);
    return ok;
}

// --- the whole

static bool make_stock(struct search *search, const struct runs *runs,
                       const size_t *places, struct err *err)
{
    for (size_t p = 0; p < n_parts(search); p++) {
        bool focus = p == search->focus;

        if (!search->searched[p])
            continue;
        if (!write_texts(search, p, runs, places, err) ||
            !cover_sets(search, p, focus ? FIRST_SETS : SIDE_SETS, err))
            return false;
    }
    return ask_first(search, search->focus, runs, err);
}

static bool diagnose(struct search *search, struct err *err)
{
    size_t *places = calloc(search->n_train + 1, sizeof *places);
    struct runs *runs = NULL;
    bool ok = places != NULL;

    if (!ok)
        nomem(err);
    session_phase(search->session, "diagnosis", 0);
    if (ok)
        runs = trace_leader(search, places, err);
    ok = runs != NULL && learn_runs(search, runs, places, err);
    if (ok)
        choose_focus(search, runs);
    if (ok)
        session_phase(search->session, "prompts", 0);
    ok = ok && make_stock(search, runs, places, err);
    if (runs != NULL)
        runs_drop(search->session, runs);
    free(places);
    return ok;
}

static bool explore(struct search *search, struct err *err)
{
    size_t rows = search->board.n_rows;
    size_t kept = 2 * rows < search->limit / 2 ? 2 * rows : search->limit / 2;
    size_t idle = 0;

    if (!first_screen(search, err) || !race(search, err))
        return false;
    for (size_t round = 1;
         search->board.asked + kept < search->limit && idle < IDLE_ROUNDS;
         round++) {
        size_t before = search->board.asked;

        if (!reflect(search, round, err) || !next_screen(search, round, err) ||
            !race(search, err))
            return false;
        idle = search->board.asked == before ? idle + 1 : 0;
    }
    return true;
}

static bool confirm(struct search *search, struct err *err)
{
    struct racer *racers = calloc(search->board.n + 1, sizeof *racers);
    size_t n;
    bool ok = racers != NULL;

    if (!ok)
        return nomem(err);
    session_phase(search->session, "confirm", 0);
    ok = learn(search, 0, err);
    n = rank(search, -0.5, racers);
    ok = ok && run_block(search, racers, n < FINALISTS ? n : FINALISTS,
                         search->board.n_rows, "confirm", err);
    free(racers);
    return ok;
}

// The best by what is known, if it beats the program as written.
static bool decide(struct search *search, struct err *err)
{
    struct racer *racers = calloc(search->board.n + 1, sizeof *racers);
    struct board_pairs pairs = {0};
    struct entry *best = search->baseline;
    bool ok = racers != NULL && learn(search, 0, err);

    if (racers == NULL)
        return nomem(err);
    if (ok) {
        rank(search, -0.5, racers);
        best = racers[0].entry;
        ok = board_compare(&search->board, search->baseline, best, &pairs, err);
    }
    if (ok && (best == search->baseline || pairs.p_value >= SHIPPED_BELOW))
        best = search->baseline;
    if (ok)
        crown(search, best);
    if (search->cut)
        session_set_finish(search->session, "budget");
    else if (best == search->baseline)
        session_set_finish(search->session, "no_difference");
    free(racers);
    return ok;
}

// What is under way still counts, unless the budget cut it short.
static bool finish(struct search *search, bool went_well, struct err *err)
{
    while (!went_well) {
        if (err->code != ERR_BUDGET)
            return false;
        search->cut = true;
        *err = ERR_CLEAR;
        went_well = board_wait(&search->board, err);
    }
    return decide(search, err);
}

static void release(struct search *search)
{
    size_t parts = n_parts(search);

    for (size_t p = 0; search->classes != NULL && p < parts; p++)
        classes_release(&search->classes[p]);
    for (size_t i = 0; search->lineages != NULL && i < parts * STOCK_SIDES; i++)
        free(search->lineages[i].parents);
    reflection_form_release(&search->form);
    effects_free(search->effects);
    board_release(&search->board);
    stock_release(&search->stock);
    bank_free(search->bank);
    lexicon_free(search->lexicon);
    free(search->lineages);
    free(search->columns);
    free(search->classes);
    free(search->searched);
    free(search->hard);
    free(search->train);
}

static bool run(struct session *session, const void *given, struct err *err)
{
    const struct params *values = given;
    const struct reflection_options options = {.hints = true};
    struct search search = {
        .session = session,
        .params = values,
        .program = session_job(session)->program,
        .limit = (size_t)(values->evaluations > 0 ? values->evaluations
                                                  : sizes[values->size]),
    };
    bool ok = choose_train(&search, err) && read_classes(&search, err) &&
              stock_init(&search.stock, session, err) &&
              start_board(&search, err) &&
              reflection_form_init(&search.form, session, &options, err);

    if (ok) {
        search.bank = bank_new(session, search.train, search.n_train, err);
        ok = search.bank != NULL;
    }
    if (ok)
        ok = finish(&search,
                    diagnose(&search, err) && explore(&search, err) &&
                        confirm(&search, err),
                    err);
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
    .run = run,
};
