#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/buf.h"
#include "common/json.h"
#include "fake_session.h"

static struct err err;

// Rows fall into kinds. A row is answered rightly when the instruction has its
// kind's token ("k2") or a demo is of its kind. In a run at temperature 1,
// where both answers are possible, chance decides. So the best program is
// known: it has a token or a demo of each kind. The teacher's advice is the
// token of the row's kind.
enum { KINDS = 4 };

struct world {
    bool steady; // no chance at temperature 1
    bool silent; // the teacher gives no advice
    bool lazy;   // its advice is "None"
    size_t advised, same_runs, no_better, no_worse;
    size_t most_demos;
    bool saw_itself;
};

#define ONE_STEP                                                               \
    "inputs: {text: {desc: A text}}\n"                                         \
    "steps:\n"                                                                 \
    "  one: {predict: Sort., inputs: [text], outputs: {label: {desc: x}}}\n"   \
    "outputs: {label: one.label}\n"

static int row_of(const char *text)
{
    return atoi(text + 4);
}

static json_t *advise(struct world *world, const struct fake_ask *ask)
{
    const char *example = json_get_text(ask->inputs, "example", "");
    const char *better = json_get_text(ask->inputs, "better_run", "");
    const char *worse = json_get_text(ask->inputs, "worse_run", "");
    char text[32];

    world->advised++;
    world->no_better += strcmp(better, "There is none.") == 0;
    world->no_worse += strcmp(worse, "There is none.") == 0;
    world->same_runs += strcmp(better, worse) == 0;
    if (world->silent)
        return NULL;
    snprintf(text, sizeof text, "Rule k%d.",
             row_of(strstr(example, "text: ") + strlen("text: ")) % KINDS);
    return json_pack("{s:s, s:s}", "discussion", "It went wrong.",
                     "advice_to_one", world->lazy ? "None" : text);
}

static bool has_demo(struct world *world, const struct fake_ask *ask, int row)
{
    bool found = false;

    if (ask->part->n_demos > world->most_demos)
        world->most_demos = ask->part->n_demos;
    for (size_t i = 0; i < ask->part->n_demos; i++) {
        const json_t *fields = ask->part->demos[i].fields;
        int shown = row_of(json_get_text(fields, "text", "row -1"));
        world->saw_itself = world->saw_itself ||
                            (shown == row && ask->sampling->temperature < 0);
        found = found || shown % KINDS == row % KINDS;
    }
    return found;
}

static json_t *answer(void *user, const struct fake_ask *ask)
{
    struct world *world = user;
    char token[16];

    if (strcmp(ask->sampling->purpose, "advise") == 0)
        return advise(world, ask);
    if (strcmp(ask->sampling->purpose, "fill") == 0)
        return NULL;
    int row = row_of(json_get_text(ask->inputs, "text", "row 0"));
    snprintf(token, sizeof token, "k%d", row % KINDS);
    bool right = strstr(ask->part->instruction, token) != NULL ||
                 has_demo(world, ask, row);
    bool lucky = !world->steady &&
                 strcmp(ask->sampling->purpose, "sample") == 0 &&
                 (row * 7 + (int)ask->sampling->draw * 5) % 3 == 0;
    return json_pack("{s:s}", "label", right || lucky ? "right" : "wrong");
}

static double score(void *user, const json_t *example, const json_t *outputs)
{
    (void)user;
    (void)example;
    return strcmp(json_get_text(outputs, "label", "?"), "right") == 0;
}

static struct session *open_session(struct world *world, size_t n,
                                    size_t n_train, enum fake_finish finish)
{
    struct buf examples = BUF_INIT(1 << 20);

    for (size_t i = 0; i < n; i++)
        buf_printf(&examples, "%s{\"text\": \"row %zu\"}", i > 0 ? "," : "[",
                   i);
    buf_putc(&examples, ']');
    struct session *fake =
        fake_new(ONE_STEP, examples.data, n_train, NULL,
                 (struct fake_script){answer, score, world}, finish);
    buf_release(&examples);
    return fake;
}

static void optimize(struct session *fake, const char *params)
{
    cr_assert(fake_optimize(fake, "simba", params, &err), "%s", err.text);
}

static size_t most_shown(const struct session *fake)
{
    size_t most = 0;
    for (size_t i = 0; i < fake->n_trials; i++) {
        size_t n = fake->trials[i]->candidate->parts[0].n_demos;
        most = n > most ? n : most;
    }
    return most;
}

Test(simba, rules_and_demos_are_added_to_the_best_program)
{
    struct world world = {0};
    struct session *fake = open_session(&world, 80, 40, FINISH_LATE);

    optimize(fake, "{bsize: 16}");
    cr_expect_eq(fake->best->score, 1, "%f, %s", fake->best->score,
                 fake->best->candidate->parts[0].instruction);
    cr_expect_gt(world.advised, 0);
    cr_expect_gt(most_shown(fake), 0);
    cr_expect_not(world.saw_itself);
    fake_free(fake);
}

Test(simba, only_rules_are_made_without_demos)
{
    struct world world = {0};
    struct session *fake = open_session(&world, 80, 40, FINISH_LATE);

    optimize(fake, "{bsize: 16, max_demos: 0}");
    cr_expect_eq(most_shown(fake), 0);
    cr_expect_eq(fake->best->score, 1, "%s",
                 fake->best->candidate->parts[0].instruction);
    fake_free(fake);
}

Test(simba, a_minibatch_is_sampled_and_its_new_programs_are_scored_on_it)
{
    struct world world = {0};
    struct session *fake = open_session(&world, 80, 40, FINISH_LATE);

    optimize(fake, "{bsize: 16, num_candidates: 3, max_steps: 2}");
    // Three runs of 16 rows per step, besides the baseline's 40.
    cr_expect_geq(fake->runs[ROLE_STUDENT], 40 + 2 * 3 * 16);
    cr_expect_leq(fake_count(fake, TRIAL_MINIBATCH), 2 * 4);
    cr_expect_leq(fake_count(fake, TRIAL_FULL), 2);
    for (size_t i = 1; i < fake->n_trials; i++) {
        if (fake->trials[i]->kind == TRIAL_MINIBATCH)
            cr_expect_eq(fake->trials[i]->n_rows, 16);
    }
    fake_free(fake);
}

Test(simba, a_small_training_share_is_a_small_minibatch)
{
    struct world world = {0};
    struct session *fake = open_session(&world, 30, 10, FINISH_LATE);

    optimize(fake, "{max_steps: 2}");
    for (size_t i = 1; i < fake->n_trials; i++) {
        if (fake->trials[i]->kind == TRIAL_MINIBATCH)
            cr_expect_eq(fake->trials[i]->n_rows, 10);
    }
    cr_expect_gt(fake_count(fake, TRIAL_MINIBATCH), 0);
    fake_free(fake);
}

// All runs are wrong. None is above the tenth percentile, so there is nothing
// to learn from, and no candidate is made.
Test(simba, no_candidate_is_made_without_variance)
{
    struct world world = {.steady = true};
    struct session *fake = open_session(&world, 80, 40, FINISH_LATE);

    optimize(fake, "{}");
    cr_expect_eq(world.advised, 0);
    cr_expect_eq(fake->n_trials, 1);
    cr_expect_str_eq(fake->ended, "no_improvement");
    fake_free(fake);
}

Test(simba, demos_are_dropped_when_they_are_many)
{
    struct world world = {.silent = true};
    struct session *fake = open_session(&world, 80, 40, FINISH_LATE);

    optimize(fake, "{bsize: 16, max_demos: 2, max_steps: 12}");
    cr_expect_lt(most_shown(fake), 5, "%zu", most_shown(fake));
    cr_expect_gt(most_shown(fake), 0);
    fake_free(fake);
}

Test(simba, reply_without_advice_changes_nothing)
{
    struct world world = {.lazy = true};
    struct session *fake = open_session(&world, 80, 40, FINISH_LATE);

    optimize(fake, "{bsize: 16, max_demos: 0, max_steps: 3}");
    cr_expect_gt(world.advised, 0);
    cr_expect_eq(fake->n_trials, 1);
    fake_free(fake);
}

Test(simba, end_of_the_budget_keeps_the_best_so_far)
{
    struct world world = {0};
    struct session *fake = open_session(&world, 80, 40, FINISH_LATE);

    fake->max_trials = 9;
    optimize(fake, "{bsize: 16}");
    cr_expect_eq(fake->n_trials, 9);
    cr_expect_str_eq(fake->ended, "budget");
    fake_free(fake);
}

Test(simba, fault_in_any_run_ends_the_search_and_frees_everything)
{
    bool ok = false;

    for (size_t at = 1; !ok; at++) {
        struct world world = {0};
        struct session *fake = open_session(&world, 24, 12, FINISH_LATE);
        struct err why = ERR_CLEAR;
        fake->fault_at = at;
        ok = fake_optimize(fake, "simba", "{num_candidates: 2, max_steps: 3}",
                           &why);
        cr_expect_eq(why.code, ok ? ERR_NONE : ERR_FAULT);
        fake_free(fake);
        cr_assert_lt(at, 200);
    }
}

Test(simba, result_does_not_depend_on_the_order_of_completion)
{
    struct world world = {0};
    struct world again = world;
    struct session *late = open_session(&world, 80, 40, FINISH_LATE);
    struct session *early = open_session(&again, 80, 40, FINISH_EARLY);

    optimize(late, "{bsize: 16}");
    optimize(early, "{bsize: 16}");
    fake_expect_same(late, early);
    fake_free(late);
    fake_free(early);
}

Test(simba, each_step_shows_what_it_found)
{
    struct world world = {0};
    struct session *fake = open_session(&world, 80, 40, FINISH_LATE);

    // A budget that ends after the first step still gives a program.
    fake->max_trials = 1 + 7 + 1 + 3;
    optimize(fake, "{bsize: 16}");
    cr_expect_eq(fake_count(fake, TRIAL_FULL), 1);
    cr_expect_str_eq(fake->ended, "budget");
    cr_expect_gt(fake->best->score, fake->trials[0]->score);
    fake_free(fake);
}
