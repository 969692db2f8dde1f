#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/buf.h"
#include "common/json.h"
#include "fake_session.h"
#include "program/source/yaml.h"

static struct err err;

// Rows fall into kinds. A step answers a row rightly when its instruction
// contains the token of the row's kind, "k2". So the best instruction is known:
// it contains the tokens of all kinds. The teacher is shown rows and feedback,
// and writes what `style` says.
enum { KINDS = 4 };

enum style {
    LEARN,   // the token of the first row that went wrong
    LISTS,   // the numbers of the rows shown; right only there
    USELESS, // a text that does not help
    SILENT,  // nothing that can be read
};

struct world {
    enum style style;
    bool unreadable; // wrong answers cannot be read at all
    int split;       // the first of two steps is for kinds below it
    size_t reflections;
    size_t about[2];   // of each step
    size_t most_shown; // the most examples in one reflection
};

#define ONE_STEP                                                               \
    "inputs: {text: {desc: A text}}\n"                                         \
    "steps:\n"                                                                 \
    "  one: {predict: Sort., inputs: [text], outputs: {label: {desc: x}}}\n"   \
    "outputs: {label: one.label}\n"

#define TWO_STEPS                                                              \
    "inputs: {text: {desc: A text}}\n"                                         \
    "steps:\n"                                                                 \
    "  one: {predict: Sort., inputs: [text], outputs: {mark: {desc: x}}}\n"    \
    "  two: {predict: Name., inputs: [text], outputs: {label: {desc: x}}}\n"   \
    "outputs: {mark: one.mark, label: two.label}\n"

static int row_of(const char *text)
{
    return atoi(text + 4);
}

static size_t count_text(const char *in, const char *what)
{
    size_t n = 0;
    for (const char *at = strstr(in, what); at != NULL;
         at = strstr(at + 1, what))
        n++;
    return n;
}

// Returns the N of the first "row N:" in the feedback, or -1.
static int first_failure(const char *shown)
{
    const char *at = strstr(shown, "of 1. row ");
    return at != NULL ? atoi(at + strlen("of 1. row ")) : -1;
}

static json_t *reflect(struct world *world, const struct fake_ask *ask)
{
    const char *shown =
        json_get_text(ask->inputs, "examples_with_feedback", "");
    const char *before = json_get_text(ask->inputs, "basic_instruction", "");
    const char *module = json_get_text(ask->inputs, "module", "");
    size_t n = count_text(shown, "# Example ");
    struct buf text = BUF_INIT(1 << 16);

    world->reflections++;
    world->about[strncmp(module, "two", 3) == 0]++;
    if (n > world->most_shown)
        world->most_shown = n;
    if (world->style == SILENT)
        return NULL;
    buf_printf(&text, "%s", before);
    int row = first_failure(shown);
    if (world->style == LEARN && row >= 0)
        buf_printf(&text, " k%d", row % KINDS);
    if (world->style == USELESS)
        buf_printf(&text, " u%zu", world->reflections);
    for (const char *at = shown;
         world->style == LISTS && (at = strstr(at, "text: row ")) != NULL; at++)
        buf_printf(&text, " r%d.", row_of(at + strlen("text: ")));
    json_t *out = json_pack("{s:s}", "new_instruction", text.data);
    buf_release(&text);
    return out;
}

static bool knows(const struct world *world, const struct fake_ask *ask,
                  int row)
{
    char token[16];
    int kind = row % KINDS;
    bool is_second = strcmp(ask->step->name, "two") == 0;

    if (world->style == LISTS) {
        snprintf(token, sizeof token, " r%d.", row);
        // An instruction that has learned a list no longer knows its kind.
        if (strstr(ask->part->instruction, " r") == NULL)
            return kind == 0;
        return strstr(ask->part->instruction, token) != NULL;
    }
    if (world->split > 0 && (kind >= world->split) != is_second)
        return true; // another step decides this
    snprintf(token, sizeof token, " k%d", kind);
    return strstr(ask->part->instruction, token) != NULL;
}

static json_t *answer(void *user, const struct fake_ask *ask)
{
    struct world *world = user;
    int row = row_of(json_get_text(ask->inputs, "text", "row 0"));

    if (strcmp(ask->sampling->purpose, "reflect") == 0)
        return reflect(world, ask);
    bool right = knows(world, ask, row);
    if (!right && world->unreadable)
        return NULL;
    return json_pack("{s:s}", ask->step->signature.outputs[0].name,
                     right ? "right" : "wrong");
}

static double score(void *user, const json_t *example, const json_t *outputs)
{
    (void)user;
    (void)example;
    return strcmp(json_get_text(outputs, "label", "?"), "right") == 0 &&
           strcmp(json_get_text(outputs, "mark", "right"), "right") == 0;
}

static struct session *open_session(struct world *world, const char *yaml,
                                    size_t n, size_t n_train,
                                    enum fake_finish finish)
{
    struct buf examples = BUF_INIT(1 << 20);

    for (size_t i = 0; i < n; i++)
        buf_printf(&examples, "%s{\"text\": \"row %zu\", \"label\": \"right\"}",
                   i > 0 ? "," : "[", i);
    buf_putc(&examples, ']');
    struct session *fake =
        fake_new(yaml, examples.data, n_train, NULL,
                 (struct fake_script){answer, score, world}, finish);
    buf_release(&examples);
    return fake;
}

static void optimize(struct session *fake, const char *params)
{
    cr_assert(fake_optimize(fake, "gepa", params, &err), "%s", err.text);
}

static const char *best_text(const struct session *fake, size_t part)
{
    return fake->best->candidate->parts[part].instruction;
}

static size_t count_runs(const struct session *fake)
{
    return fake->runs[ROLE_STUDENT];
}

// --- what it finds

Test(gepa, it_learns_the_best_instruction_from_failures)
{
    struct world world = {.style = LEARN};
    struct session *fake = open_session(&world, ONE_STEP, 80, 40, FINISH_LATE);

    optimize(fake, "{max_metric_calls: 1500}");
    cr_expect_eq(fake->best->score, 1, "%s", best_text(fake, 0));
    cr_expect_str_eq(fake->ended, "perfect");
    cr_expect_eq(world.most_shown, 3);
    fake_free(fake);
}

Test(gepa, two_steps_each_learn_their_own_instruction)
{
    struct world world = {.style = LEARN, .split = 2};
    struct session *fake = open_session(&world, TWO_STEPS, 80, 40, FINISH_LATE);

    optimize(fake, "{auto: medium}");
    cr_expect_eq(fake->best->score, 1, "%s; %s", best_text(fake, 0),
                 best_text(fake, 1));
    fake_free(fake);
}

Test(gepa, lineages_are_merged)
{
    struct world world = {.style = LEARN, .split = 2};
    struct session *fake = open_session(&world, TWO_STEPS, 80, 40, FINISH_LATE);
    size_t merged = 0;

    optimize(fake, "{auto: medium}");
    for (size_t i = 0; i < fake->n_trials; i++)
        merged += fake->trials[i]->kind == TRIAL_FULL &&
                  fake->trials[i]->candidate->n_parents == 2;
    cr_expect_gt(merged, 0);
    fake_free(fake);
}

Test(gepa, no_merge_is_made_when_merging_is_off)
{
    struct world world = {.style = LEARN, .split = 2};
    struct session *fake = open_session(&world, TWO_STEPS, 80, 40, FINISH_LATE);

    optimize(fake, "{auto: medium, use_merge: false}");
    for (size_t i = 0; i < fake->n_trials; i++)
        cr_expect_lt(fake->trials[i]->candidate->n_parents, 2);
    fake_free(fake);
}

// --- what it is careful about

Test(gepa, only_a_better_candidate_is_evaluated_on_all_rows)
{
    struct world world = {.style = USELESS};
    struct session *fake = open_session(&world, ONE_STEP, 80, 40, FINISH_LATE);

    optimize(fake, "{max_metric_calls: 300}");
    cr_expect_gt(world.reflections, 20);
    cr_expect_eq(fake_count(fake, TRIAL_FULL), 0);
    cr_expect_str_eq(fake->ended, "no_improvement");
    fake_free(fake);
}

Test(gepa, a_gain_on_three_rows_is_tested_on_more)
{
    struct world world = {.style = LISTS};
    struct world again = world;
    struct session *fake = open_session(&world, ONE_STEP, 80, 40, FINISH_LATE);
    struct session *bold = open_session(&again, ONE_STEP, 80, 40, FINISH_LATE);

    // An instruction that lists its three rows is right on these and nowhere
    // else.
    optimize(fake, "{max_metric_calls: 600}");
    optimize(bold, "{max_metric_calls: 600, acceptance_rows: 0}");
    size_t careful = fake_count(fake, TRIAL_FULL);
    cr_expect_gt(fake_count(bold, TRIAL_FULL), 3 * careful, "%zu, %zu",
                 fake_count(bold, TRIAL_FULL), careful);
    cr_expect_gt(world.reflections, again.reflections);
    fake_free(fake);
    fake_free(bold);
}

Test(gepa, unreadable_replies_are_reflected_on_only_if_configured)
{
    struct world world = {.style = LEARN, .unreadable = true};
    struct world again = world;
    struct session *fake = open_session(&world, ONE_STEP, 80, 40, FINISH_LATE);
    struct session *other = open_session(&again, ONE_STEP, 80, 40, FINISH_LATE);

    optimize(fake, "{max_metric_calls: 1500}");
    cr_expect_eq(fake->best->score, 1);
    optimize(other, "{max_metric_calls: 200,"
                    " add_format_failure_as_feedback: false}");
    cr_expect_eq(again.reflections, 0, "no example is left to show");
    fake_free(fake);
    fake_free(other);
}

Test(gepa, perfect_rows_are_not_reflected_on)
{
    struct world world = {.style = USELESS};
    struct session *fake = open_session(&world, ONE_STEP, 80, 40, FINISH_LATE);

    optimize(fake, "{max_metric_calls: 200, perfect_score: 0}");
    cr_expect_eq(world.reflections, 0);
    optimize(fake, "{max_metric_calls: 200, perfect_score: 0,"
                   " skip_perfect_score: false}");
    cr_expect_gt(world.reflections, 0);
    fake_free(fake);
}

Test(gepa, teacher_without_an_answer_leaves_the_baseline)
{
    struct world world = {.style = SILENT};
    struct session *fake = open_session(&world, ONE_STEP, 80, 40, FINISH_LATE);

    optimize(fake, "{max_metric_calls: 100}");
    cr_expect_eq(fake->n_trials, 1);
    cr_expect_str_eq(fake->ended, "no_improvement");
    fake_free(fake);
}

// --- which step

Test(gepa, steps_take_turns_or_are_rewritten_together)
{
    struct world world = {.style = USELESS};
    struct world again = world;
    struct session *fake = open_session(&world, TWO_STEPS, 80, 40, FINISH_LATE);
    struct session *all = open_session(&again, TWO_STEPS, 80, 40, FINISH_LATE);

    optimize(fake, "{max_metric_calls: 160}");
    cr_expect_eq(world.about[0], world.about[1]);
    cr_assert_gt(fake->n_trials, 2);
    for (size_t i = 1; i < fake->n_trials; i++) {
        const struct candidate *one = fake->trials[i]->candidate;
        cr_expect_eq((one->parts[0].instruction_no != 0) +
                         (one->parts[1].instruction_no != 0),
                     1);
    }
    optimize(all, "{max_metric_calls: 160, component_selector: all}");
    cr_assert_gt(all->n_trials, 2);
    for (size_t i = 1; i < all->n_trials; i++) {
        const struct candidate *one = all->trials[i]->candidate;
        cr_expect(one->parts[0].instruction_no != 0 &&
                  one->parts[1].instruction_no != 0);
    }
    fake_free(fake);
    fake_free(all);
}

// --- effort

Test(gepa, effort_counts_scored_runs)
{
    struct world world = {.style = USELESS};
    struct session *fake = open_session(&world, ONE_STEP, 80, 40, FINISH_LATE);

    optimize(fake, "{max_metric_calls: 100}");
    // 40 runs for the baseline, then 6 per iteration. A window of iterations
    // may be in progress when the effort is used up.
    cr_expect_geq(count_runs(fake), 100);
    cr_expect_lt(count_runs(fake), 100 + 4 * 6);
    fake_free(fake);
}

Test(gepa, full_evaluations_are_passes_over_both_shares)
{
    struct world world = {.style = USELESS};
    struct session *fake = open_session(&world, ONE_STEP, 50, 30, FINISH_LATE);

    optimize(fake, "{max_full_evals: 3}");
    cr_expect_geq(count_runs(fake), 150);
    cr_expect_lt(count_runs(fake), 150 + 4 * 6);
    fake_free(fake);
}

Test(gepa, setting_the_effort_in_both_ways_is_refused)
{
    const struct optimizer *row = optimizer_find("gepa");
    struct world world = {.style = USELESS};
    struct session *fake = open_session(&world, ONE_STEP, 50, 30, FINISH_LATE);
    const char *text = "{max_full_evals: 3, max_metric_calls: 9}";

    fake->job.optimizer = "gepa";
    fake->job.optimizer_node =
        yaml_parse(&fake->arena, "p.yaml", text, strlen(text), fake->diags);
    cr_expect_null(
        optimizer_params(&fake->job, &row, &fake->arena, fake->diags));
    cr_expect_not_null(strstr(fake->diags->items[0].text, "not both"));
    fake_free(fake);
}

Test(gepa, few_training_rows_make_small_minibatches)
{
    struct world world = {.style = LEARN};
    struct session *fake = open_session(&world, ONE_STEP, 10, 2, FINISH_LATE);

    optimize(fake, "{max_metric_calls: 60}");
    cr_expect_eq(world.most_shown, 2);
    fake_free(fake);
}

// --- ends

Test(gepa, end_of_the_budget_keeps_the_best_so_far)
{
    for (int64_t most = 2; most <= 14; most += 4) {
        struct world world = {.style = LEARN};
        struct session *fake =
            open_session(&world, ONE_STEP, 80, 40, FINISH_LATE);

        fake->max_trials = most;
        optimize(fake, "{auto: light}");
        cr_expect_eq(fake->n_trials, (size_t)most);
        cr_expect_str_eq(fake->ended, "budget");
        fake_free(fake);
    }
}

Test(gepa, fault_in_any_run_ends_the_search_and_frees_everything)
{
    bool ok = false;

    for (size_t at = 1; !ok; at++) {
        struct world world = {.style = LEARN};
        struct session *fake =
            open_session(&world, ONE_STEP, 40, 20, FINISH_LATE);
        struct err why = ERR_CLEAR;
        fake->fault_at = at;
        ok = fake_optimize(fake, "gepa", "{max_metric_calls: 120}", &why);
        cr_expect_eq(why.code, ok ? ERR_NONE : ERR_FAULT);
        fake_free(fake);
        cr_assert_lt(at, 300);
    }
}

// --- determinism

Test(gepa, result_does_not_depend_on_the_order_of_completion)
{
    static const char *const params[] = {
        "{auto: light}",
        "{auto: light, candidate_selection_strategy: current_best}",
        "{auto: light, component_selector: all, acceptance_rows: 0}"};

    for (size_t i = 0; i < 3; i++) {
        struct world world = {.style = LEARN, .split = 2};
        struct world again = world;
        struct session *late =
            open_session(&world, TWO_STEPS, 80, 40, FINISH_LATE);
        struct session *early =
            open_session(&again, TWO_STEPS, 80, 40, FINISH_EARLY);
        optimize(late, params[i]);
        optimize(early, params[i]);
        fake_expect_same(late, early);
        fake_free(late);
        fake_free(early);
    }
}

Test(gepa, several_iterations_run_at_once_within_the_window)
{
    struct world world = {.style = USELESS};
    struct session *fake = open_session(&world, ONE_STEP, 80, 40, FINISH_LATE);

    fake->job.window = 3;
    optimize(fake, "{max_metric_calls: 200}");
    cr_expect_eq(fake->most_open, 3);
    fake_free(fake);
}

Test(gepa, another_seed_is_another_search)
{
    struct world world = {.style = LEARN};
    struct world again = world;
    struct session *a = open_session(&world, ONE_STEP, 80, 40, FINISH_LATE);
    struct session *b = open_session(&again, ONE_STEP, 80, 40, FINISH_LATE);
    bool differs = false;

    b->job.seed = 3;
    optimize(a, "{auto: light}");
    optimize(b, "{auto: light}");
    for (size_t i = 1; i < a->n_trials && i < b->n_trials; i++)
        differs |= a->trials[i]->n_rows != b->trials[i]->n_rows ||
                   memcmp(a->trials[i]->rows, b->trials[i]->rows,
                          a->trials[i]->n_rows * sizeof(size_t)) != 0;
    cr_expect(differs);
    fake_free(a);
    fake_free(b);
}
