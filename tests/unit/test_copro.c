#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/buf.h"
#include "common/json.h"
#include "fake_session.h"

static struct err err;

// A step is right on the rows below its instruction's number: "Write 12." is
// right on rows 0 to 11. The teacher writes larger numbers, in later rounds
// starting from the best that it is shown. So the best instruction is known.
struct world {
    int64_t asked_first, asked_later;
    size_t most_shown; // the most attempts
    bool worst_first;  // so far in every list
    bool silent;
};

#define ONE_STEP                                                               \
    "inputs: {text: {desc: A text}}\n"                                         \
    "steps:\n"                                                                 \
    "  one: {predict: Write 2., inputs: [text], outputs: {label: {desc: "      \
    "x}}}\n"                                                                   \
    "outputs: {label: one.label}\n"

#define TWO_STEPS                                                              \
    "inputs: {text: {desc: A text}}\n"                                         \
    "steps:\n"                                                                 \
    "  one: {predict: Write 2., inputs: [text], outputs: {mark: {desc: "       \
    "x}}}\n"                                                                   \
    "  two: {predict: Write 3., inputs: [text], outputs: {label: {desc: "      \
    "x}}}\n"                                                                   \
    "outputs: {mark: one.mark, label: two.label}\n"

static int number_in(const char *text)
{
    const char *at = strstr(text, "Write ");
    return at != NULL ? atoi(at + strlen("Write ")) : 0;
}

// Returns the number of the last attempt, the best, in a list of attempts.
static int read_attempts(struct world *world, const char *text)
{
    double last = -1;
    size_t n = 0;
    int number = 0;

    for (const char *at = text; (at = strstr(at, "# Instruction ")) != NULL;
         at++) {
        double score = atof(strchr(at, ',') + 2);
        world->worst_first = world->worst_first && score >= last;
        last = score;
        number = number_in(at);
        n++;
    }
    if (n > world->most_shown)
        world->most_shown = n;
    return number;
}

static json_t *propose(struct world *world, const struct fake_ask *ask)
{
    const char *attempts = json_get_text(ask->inputs, "attempts", NULL);
    char text[64];
    int64_t no = ask->sampling->draw / 4 % 1000;
    int from;

    if (world->silent)
        return NULL;
    if (attempts != NULL) {
        world->asked_later++;
        from = read_attempts(world, attempts);
    } else {
        world->asked_first++;
        from = number_in(json_get_text(ask->inputs, "basic_instruction", ""));
    }
    snprintf(text, sizeof text, "Write %d.", from + (int)no % 3);
    return json_pack("{s:s}", "proposed_instruction", text);
}

static json_t *answer(void *user, const struct fake_ask *ask)
{
    struct world *world = user;

    if (strcmp(ask->sampling->purpose, "propose") == 0)
        return propose(world, ask);
    int row = atoi(json_get_text(ask->inputs, "text", "row 0") + 4);
    return json_pack("{s:s}", ask->step->signature.outputs[0].name,
                     row < number_in(ask->part->instruction) ? "right"
                                                             : "wrong");
}

static double score(void *user, const json_t *example, const json_t *outputs)
{
    (void)user;
    (void)example;
    return (strcmp(json_get_text(outputs, "label", "?"), "right") == 0) * 0.5 +
           (strcmp(json_get_text(outputs, "mark", "right"), "right") == 0) *
               0.5;
}

static struct session *open_session(struct world *world, const char *yaml,
                                    enum fake_finish finish)
{
    struct buf examples = BUF_INIT(1 << 20);

    world->worst_first = true;
    for (size_t i = 0; i < 20; i++)
        buf_printf(&examples, "%s{\"text\": \"row %zu\"}", i > 0 ? "," : "[",
                   i);
    buf_putc(&examples, ']');
    struct session *fake =
        fake_new(yaml, examples.data, 0, NULL,
                 (struct fake_script){answer, score, world}, finish);
    buf_release(&examples);
    // Train and validation are the same rows, so fake_new numbers them from 0.
    return fake;
}

static void optimize(struct session *fake, const char *params)
{
    cr_assert(fake_optimize(fake, "copro", params, &err), "%s", err.text);
}

static int best_number(const struct session *fake, size_t part)
{
    return number_in(fake->best->candidate->parts[part].instruction);
}

// From 2 on: round 1 tries 2, 3, 4; the best, 4, leads to 5 and 6; then 6 leads
// to 7 and 8.
Test(copro, each_round_builds_on_the_best_attempt)
{
    struct world world = {0};
    struct session *fake = open_session(&world, ONE_STEP, FINISH_LATE);

    optimize(fake, "{breadth: 4}");
    cr_expect_eq(world.asked_first, 3);
    cr_expect_eq(world.asked_later, 8);
    cr_expect(world.worst_first);
    cr_expect_eq(best_number(fake, 0), 8, "%d", best_number(fake, 0));
    fake_free(fake);
}

Test(copro, no_more_than_breadth_attempts_are_shown)
{
    struct world world = {0};
    struct session *fake = open_session(&world, ONE_STEP, FINISH_LATE);

    optimize(fake, "{breadth: 3, depth: 5}");
    cr_expect_eq(world.most_shown, 3);
    fake_free(fake);
}

Test(copro, worst_attempts_are_left_out_first_when_the_prompt_is_too_long)
{
    struct world world = {0};
    struct session *fake = open_session(&world, ONE_STEP, FINISH_LATE);

    fake->job.models[ROLE_TEACHER].options.num_ctx = 512 + 500 + 45;
    optimize(fake, "{breadth: 4}");
    cr_expect_lt(world.most_shown, 3, "%zu", world.most_shown);
    cr_expect_gt(world.most_shown, 0);
    cr_expect_eq(best_number(fake, 0), 8);
    fake_free(fake);
}

Test(copro, one_round_makes_only_the_first_proposals)
{
    struct world world = {0};
    struct session *fake = open_session(&world, ONE_STEP, FINISH_LATE);

    optimize(fake, "{breadth: 4, depth: 1}");
    cr_expect_eq(world.asked_later, 0);
    cr_expect_eq(best_number(fake, 0), 4);
    // 2 is the baseline; 3 and 4 are new, and one proposal repeated 2.
    cr_expect_eq(fake_count(fake, TRIAL_FULL), 2);
    fake_free(fake);
}

Test(copro, steps_improve_one_after_the_other)
{
    struct world world = {0};
    struct session *fake = open_session(&world, TWO_STEPS, FINISH_LATE);

    optimize(fake, "{breadth: 4}");
    cr_expect_eq(best_number(fake, 0), 8);
    cr_expect_eq(best_number(fake, 1), 9);
    fake_free(fake);
}

Test(copro, nothing_is_evaluated_twice)
{
    struct world world = {0};
    struct session *fake = open_session(&world, TWO_STEPS, FINISH_LATE);

    optimize(fake, "{breadth: 4, depth: 4}");
    for (size_t i = 0; i < fake->n_trials; i++)
        for (size_t k = i + 1; k < fake->n_trials; k++)
            cr_expect_not(hash_equal(&fake->trials[i]->candidate->id,
                                     &fake->trials[k]->candidate->id));
    fake_free(fake);
}

Test(copro, perfect_score_ends_the_search)
{
    struct world world = {0};
    struct session *fake = open_session(&world, ONE_STEP, FINISH_LATE);

    optimize(fake, "{breadth: 4, depth: 40}");
    cr_expect_str_eq(fake->ended, "perfect");
    cr_expect_lt(world.asked_later, 60);
    fake_free(fake);
}

Test(copro, teacher_without_answers_leaves_the_baseline)
{
    struct world world = {.silent = true};
    struct session *fake = open_session(&world, ONE_STEP, FINISH_LATE);

    optimize(fake, "{}");
    cr_expect_eq(fake->n_trials, 1);
    cr_expect_str_eq(fake->ended, "no_improvement");
    fake_free(fake);
}

Test(copro, end_of_the_budget_keeps_the_best_so_far)
{
    struct world world = {0};
    struct session *fake = open_session(&world, ONE_STEP, FINISH_LATE);

    fake->max_trials = 4;
    optimize(fake, "{breadth: 4}");
    cr_expect_eq(fake->n_trials, 4);
    cr_expect_str_eq(fake->ended, "budget");
    cr_expect_gt(best_number(fake, 0), 2);
    fake_free(fake);
}

Test(copro, fault_in_any_run_ends_the_search_and_frees_everything)
{
    bool ok = false;

    for (size_t at = 1; !ok; at++) {
        struct world world = {0};
        struct session *fake = open_session(&world, TWO_STEPS, FINISH_LATE);
        struct err why = ERR_CLEAR;
        fake->fault_at = at;
        ok = fake_optimize(fake, "copro", "{breadth: 3}", &why);
        cr_expect_eq(why.code, ok ? ERR_NONE : ERR_FAULT);
        fake_free(fake);
        cr_assert_lt(at, 100);
    }
}

Test(copro, result_does_not_depend_on_the_order_of_completion)
{
    struct world world = {0};
    struct world again = world;
    struct session *late = open_session(&world, TWO_STEPS, FINISH_LATE);
    struct session *early = open_session(&again, TWO_STEPS, FINISH_EARLY);

    optimize(late, "{breadth: 5}");
    optimize(early, "{breadth: 5}");
    fake_expect_same(late, early);
    cr_expect_eq(late->most_open, 4, "a window is under way together");
    fake_free(late);
    fake_free(early);
}
