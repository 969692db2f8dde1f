#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "fake_support.h"

static struct err err;

static void optimize(struct session *fake, const char *params)
{
    cr_assert(fake_optimize(fake, "screen_and_race", params, &err), "%s",
              err.text);
}

// Counts the student's evaluations that no earlier trial had made, without the
// baseline's.
static size_t count_evaluations(const struct session *fake)
{
    size_t n = 0;

    for (size_t t = 1; t < fake->n_trials; t++) {
        const struct trial *trial = fake->trials[t];

        for (size_t i = 0; i < trial->n_rows; i++) {
            bool before = !trial->scored[i];

            for (size_t u = 0; u < t && !before; u++) {
                const struct trial *other = fake->trials[u];

                if (!hash_equal(&other->candidate->id, &trial->candidate->id))
                    continue;
                for (size_t k = 0; k < other->n_rows; k++)
                    before |= other->rows[k] == trial->rows[i];
            }
            n += !before;
        }
    }
    return n;
}

Test(screen_and_race, demos_that_help_are_found_and_cover_the_labels)
{
    struct support support = {.base = 0.4, .demo_gain = 0.5, .teacher = 1};
    struct session *fake = support_session(&support, 60, 0, FINISH_LATE);
    bool a = false, b = false;

    optimize(fake, "{auto: light, proposals: 0}");
    const struct candidate_part *part = &fake->best->candidate->parts[0];
    cr_assert_gt(part->n_demos, 1);
    for (size_t i = 0; i < part->n_demos; i++) {
        const char *label = json_get_text(part->demos[i].fields, "label", "?");
        a |= strcmp(label, "a") == 0;
        b |= strcmp(label, "b") == 0;
    }
    cr_expect(a && b);
    cr_expect_not(support.saw_itself);
    cr_expect_geq(fake->best->score, 0.8);
    fake_free(fake);
}

Test(screen_and_race, an_instruction_that_helps_is_found)
{
    struct support support = {
        .base = 0.3, .good_gain = 0.6, .teacher = 1, .good_every = 2};
    struct session *fake = support_session(&support, 60, 0, FINISH_LATE);

    optimize(fake, "{auto: light}");
    cr_expect_gt(fake->asked_reflect, 0);
    cr_expect_not_null(
        strstr(fake->best->candidate->parts[0].instruction, "GOOD"), "%s",
        fake->best->candidate->parts[0].instruction);
    fake_free(fake);
}

Test(screen_and_race, first_screen_ends_with_the_most_promising_candidates)
{
    enum { EVEN = 12, HOPED = 4 };
    struct support support = {.base = 0.8, .demo_gain = -0.7, .teacher = 1};
    struct session *fake = support_session(&support, 60, 0, FINISH_LATE);
    size_t bare = 0;

    optimize(fake, "{auto: light, proposals: 0}");
    cr_assert_gt(fake->n_trials, EVEN + HOPED);
    for (size_t t = EVEN + 1; t <= EVEN + HOPED; t++)
        bare += fake->trials[t]->candidate->parts[0].n_demos == 0;
    cr_expect_geq(bare, HOPED - 1, "%zu", bare);
    fake_free(fake);
}

Test(screen_and_race, program_ships_as_written_if_nothing_helps)
{
    struct support support = {.base = 0.6, .teacher = 1};
    struct session *fake = support_session(&support, 60, 0, FINISH_LATE);

    optimize(fake, "{auto: light}");
    cr_expect_eq(fake->best->kind, TRIAL_BASELINE);
    cr_expect_str_eq(fake->ended, "no_difference");
    fake_free(fake);
}

Test(screen_and_race, search_ends_soon_after_a_perfect_score)
{
    struct support support = {.base = 0.4, .demo_gain = 0.6, .teacher = 1};
    struct session *fake = support_session(&support, 60, 0, FINISH_LATE);

    optimize(fake, "{auto: heavy, proposals: 0}");
    cr_expect_float_eq(fake->best->score, 1, 1e-9);
    cr_expect_str_eq(fake->ended, "perfect");
    cr_expect_leq(count_evaluations(fake), 1500);
    fake_free(fake);
}

// The length of the prompt. All demos are equally long, give or take a digit.
static size_t prompt_length(const struct trial *trial)
{
    const struct candidate_part *part = &trial->candidate->parts[0];

    return strlen(part->instruction) + 40 * part->n_demos;
}

Test(screen_and_race, shortest_prompt_wins_among_equal_scores)
{
    struct support support = {.base = 0.4, .demo_gain = 0.6, .teacher = 1};
    struct session *fake = support_session(&support, 60, 0, FINISH_LATE);
    size_t others = 0;

    optimize(fake, "{auto: medium}");
    for (size_t t = 1; t < fake->n_trials; t++) {
        const struct trial *trial = fake->trials[t];

        if (trial->n < fake->best->n || trial->score < fake->best->score)
            continue;
        others += trial->candidate != fake->best->candidate;
        cr_expect_geq(prompt_length(trial), prompt_length(fake->best));
    }
    cr_expect_gt(others, 0);
    fake_free(fake);
}

Test(screen_and_race, deterministic_model_is_remeasured_only_to_detect_that)
{
    struct support support = {.base = 0.3, .demo_gain = 0.5, .teacher = 1};
    struct session *fake = support_session(&support, 60, 0, FINISH_LATE);

    optimize(fake, "{auto: light, proposals: 0}");
    cr_assert_eq(fake->n_again, 1);
    cr_expect_leq(fake->again[0]->n_rows, 16);
    fake_free(fake);
}

// Every third row gets a different answer when it is asked again.
struct fickle {
    struct support support;
    struct fake_script steady;
};

static json_t *fickle_answer(void *user, const struct fake_ask *ask)
{
    struct fickle *fickle = user;
    json_t *outputs = fickle->steady.answer(&fickle->support, ask);
    const char *text = json_get_text(ask->inputs, "text", "row 1");

    if (outputs != NULL && ask->sampling->replicate > 0 &&
        atoi(text + strlen("row ")) % 3 == 0)
        json_object_set_new(outputs, "label", json_string("c"));
    return outputs;
}

static double fickle_score(void *user, const json_t *example,
                           const json_t *outputs)
{
    struct fickle *fickle = user;

    return fickle->steady.score(&fickle->support, example, outputs);
}

Test(screen_and_race, finalists_of_a_noisy_model_are_remeasured_on_all_rows)
{
    struct fickle fickle = {
        .support = {.base = 0.3, .demo_gain = 0.5, .teacher = 1}};
    char *examples = support_examples(60);
    struct session *fake;
    bool baseline = false;

    fickle.steady = support_script(&fickle.support);
    fake = fake_new(SUPPORT_ONE, examples, 0, NULL,
                    (struct fake_script){fickle_answer, fickle_score, &fickle},
                    FINISH_LATE);
    free(examples);
    optimize(fake, "{auto: light, proposals: 0}");
    cr_assert_gt(fake->n_again, 2);
    for (size_t i = 1; i < fake->n_again; i++) {
        const struct trial *again = fake->again[i];

        baseline |= again->candidate == fake->baseline;
        cr_expect_eq(again->replicate, 1);
        cr_expect_gt(again->n_rows, 16, "all rows that it is scored on");
    }
    cr_expect(baseline, "what they are compared with as well");
    cr_expect_gt(fake->best->candidate->parts[0].n_demos, 0);
    fake_free(fake);
}

Test(screen_and_race, result_does_not_depend_on_the_order_of_completion)
{
    struct support support = {.base = 0.3,
                              .demo_gain = 0.2,
                              .good_gain = 0.2,
                              .teacher = 0.7,
                              .good_every = 3};
    struct support again = support;
    struct session *late = support_session(&support, 70, 0, FINISH_LATE);
    struct session *early = support_session(&again, 70, 0, FINISH_EARLY);

    optimize(late, "{}");
    optimize(early, "{}");
    fake_expect_same(late, early);
    fake_free(late);
    fake_free(early);
}

Test(screen_and_race, search_keeps_to_its_number_of_evaluations)
{
    struct support support = {.base = 0.3, .demo_gain = 0.2, .teacher = 0.7};
    struct session *fake = support_session(&support, 60, 0, FINISH_LATE);

    optimize(fake, "{evaluations: 400}");
    cr_expect_leq(count_evaluations(fake), 500, "%zu", count_evaluations(fake));
    cr_expect_geq(count_evaluations(fake), 200);
    fake_free(fake);
}

Test(screen_and_race, a_budget_that_ends_early_leaves_the_best_so_far)
{
    struct support support = {.base = 0.3, .demo_gain = 0.6, .teacher = 1};
    struct session *whole = support_session(&support, 60, 0, FINISH_LATE);

    optimize(whole, "{auto: light}");
    for (int64_t most = 2; most < (int64_t)whole->n_trials; most += 7) {
        struct support again = {.base = 0.3, .demo_gain = 0.6, .teacher = 1};
        struct session *fake = support_session(&again, 60, 0, FINISH_LATE);

        fake->max_trials = most;
        fake->max_proof = 32;
        optimize(fake, "{auto: light}");
        cr_expect_not_null(fake->best);
        cr_expect_str_eq(fake->ended, "budget");
        if (most > 4)
            cr_expect_gt(fake->best->candidate->parts[0].n_demos, 0,
                         "after %lld trials", (long long)most);
        fake_free(fake);
    }
    fake_free(whole);
}

// Ends the budget while candidates are on four rows each.
static struct session *end_in_screen(struct support *support, size_t max_proof)
{
    struct session *fake = support_session(support, 60, 0, FINISH_LATE);

    fake->max_trials = 8;
    fake->max_proof = max_proof;
    optimize(fake, "{auto: light}");
    cr_expect_str_eq(fake->ended, "budget");
    cr_expect_eq(fake->kept_back, 0);
    return fake;
}

Test(screen_and_race, candidate_supported_by_few_rows_does_not_ship)
{
    struct support support = {.base = 0.3, .demo_gain = 0.6, .teacher = 1};
    struct session *fake = end_in_screen(&support, 8);

    cr_expect_eq(fake->best->kind, TRIAL_BASELINE);
    cr_assert_not_null(fake->rival);
    cr_expect_gt(fake->rival->candidate->parts[0].n_demos, 0);
    cr_expect_gt(fake->n_again, 0, "what was left was used all the same");
    fake_free(fake);
}

Test(screen_and_race, reserved_budget_confirms_the_best_candidate)
{
    struct support support = {.base = 0.3, .demo_gain = 0.6, .teacher = 1};
    struct session *fake = end_in_screen(&support, 32);

    cr_expect_gt(fake->best->candidate->parts[0].n_demos, 0);
    cr_expect_geq(fake->best->n, 16, "%zu", fake->best->n);
    cr_expect_null(fake->rival);
    fake_free(fake);
}

// A model that is right on different rows with each prompt: on seven of ten
// with demos, on three without.
static json_t *moody_answer(void *user, const struct fake_ask *ask)
{
    const char *text = json_get_text(ask->inputs, "text", "row 0");
    unsigned row = (unsigned)atoi(text + strlen("row "));
    unsigned mood = row * 2654435761u + (unsigned)ask->part->n_demos * 97u +
                    (unsigned)strlen(ask->part->instruction) * 31u;
    bool right = (mood >> 16) % 10 < (ask->part->n_demos > 0 ? 7 : 3);

    (void)user;
    return json_pack("{s:s, s:f}", "label", (row % 2 == 0) == right ? "a" : "b",
                     "confidence", 0.5);
}

Test(screen_and_race, best_candidate_ships_if_all_beat_the_baseline)
{
    struct support support = {.teacher = 1};
    struct fake_script script = support_script(&support);
    char *examples = support_examples(60);
    struct session *fake;

    script.answer = moody_answer;
    fake = fake_new(SUPPORT_ONE, examples, 0, NULL, script, FINISH_LATE);
    free(examples);
    fake->max_trials = 17;
    fake->max_proof = 28;
    optimize(fake, "{auto: light, proposals: 0}");
    cr_expect_gt(fake->best->candidate->parts[0].n_demos, 0);
    fake_free(fake);
}

static bool is_trial(const struct session *fake,
                     const struct candidate *candidate)
{
    for (size_t t = 0; t < fake->n_trials; t++)
        if (hash_equal(&fake->trials[t]->candidate->id, &candidate->id))
            return true;
    return false;
}

Test(screen_and_race, reserved_budget_tries_candidates_the_screen_did_not_reach)
{
    struct support support = {.base = 0.2,
                              .demo_gain = 0.4,
                              .good_gain = 0.4,
                              .teacher = 1,
                              .good_every = 2};
    struct session *fake = end_in_screen(&support, 40);
    const struct candidate_part *best = &fake->best->candidate->parts[0];

    cr_expect_not(is_trial(fake, fake->best->candidate));
    cr_expect_not_null(strstr(best->instruction, "GOOD"));
    cr_expect_gt(best->n_demos, 0);
    cr_expect_geq(fake->best->n, 16, "%zu", fake->best->n);
    fake_free(fake);
}

Test(screen_and_race, luck_on_few_rows_is_detected)
{
    struct support support = {.base = 0.6, .teacher = 1};
    struct session *fake = end_in_screen(&support, 40);

    cr_expect_eq(fake->best->kind, TRIAL_BASELINE);
    fake_free(fake);
}

Test(screen_and_race, partial_baseline_is_completed)
{
    struct support support = {.base = 0.3, .demo_gain = 0.5, .teacher = 1};
    struct session *fake = support_session(&support, 60, 0, FINISH_LATE);

    fake->trials[0]->n_rows = 32;
    optimize(fake, "{auto: light}");
    cr_assert_not_null(fake->baseline_trial);
    cr_expect_eq(fake->baseline_trial->candidate, fake->baseline);
    cr_expect_eq(fake->baseline_trial->n, 60);
    cr_expect_gt(fake->best->candidate->parts[0].n_demos, 0);
    fake_free(fake);
}

Test(screen_and_race, demos_come_from_the_training_rows)
{
    struct support support = {.base = 0.3, .demo_gain = 0.5, .teacher = 1};
    struct session *fake = support_session(&support, 100, 40, FINISH_LATE);

    optimize(fake, "{auto: light}");
    cr_assert_gt(fake->best->candidate->parts[0].n_demos, 0);
    for (size_t t = 0; t < fake->n_trials; t++) {
        const struct candidate_part *part =
            &fake->trials[t]->candidate->parts[0];

        for (size_t i = 0; i < part->n_demos; i++)
            cr_expect_lt(part->demos[i].row, 40);
    }
    fake_free(fake);
}

// Twenty validation rows, of which the original program gets two wrong.
enum { TOLD_APART_BY = 2, TRAINED = 40, VALIDATED = 20 };

static struct session *search_high_baseline(struct support *support,
                                            size_t max_proof)
{
    struct session *fake =
        support_session(support, TRAINED + VALIDATED, TRAINED, FINISH_LATE);
    size_t wrong =
        VALIDATED - (size_t)(fake->trials[0]->score * VALIDATED + 0.5);

    cr_assert_eq(wrong, TOLD_APART_BY, "%zu", wrong);
    fake->max_proof = max_proof;
    optimize(fake, "{auto: light, proposals: 0}");
    return fake;
}

Test(screen_and_race, training_rows_decide_when_validation_rows_cannot)
{
    struct support support = {.base = 0.92, .demo_gain = 0.1, .teacher = 1};
    struct session *fake = search_high_baseline(&support, 200);
    const struct candidate_part *part = &fake->best->candidate->parts[0];
    const struct trial *asked = fake->again[fake->n_again - 1];

    cr_expect_gt(part->n_demos, 0);
    cr_expect_eq(fake->best->n, VALIDATED, "what is reported is theirs alone");
    cr_expect_not(support.saw_itself);
    for (size_t i = 0; i < asked->n_rows; i++)
        cr_expect_lt(asked->rows[i], TRAINED);
    fake_free(fake);
}

Test(screen_and_race, program_ships_as_written_without_budget_for_training_rows)
{
    struct support support = {.base = 0.92, .demo_gain = 0.1, .teacher = 1};
    struct session *fake = search_high_baseline(&support, 0);

    cr_expect_eq(fake->best->kind, TRIAL_BASELINE);
    cr_expect_not_null(fake->rival);
    fake_free(fake);
}

Test(screen_and_race, training_rows_reveal_luck_on_the_validation_rows)
{
    struct support support = {
        .base = 0.92, .demo_gain = 0.15, .gain_from = TRAINED, .teacher = 1};
    struct session *fake = search_high_baseline(&support, 200);

    cr_expect_eq(fake->best->kind, TRIAL_BASELINE);
    cr_expect_lt(fake->max_proof, 200, "they were asked");
    fake_free(fake);
}

// A model with two steps, only the first of which is wrong.
static json_t *answer_two(void *user, const struct fake_ask *ask)
{
    const struct support *support = user;
    int row = atoi(json_get_text(ask->inputs, "text", "row 0") + 4);
    const char *topic = row % 3 == 0 ? "x" : "y";

    if (strcmp(ask->sampling->purpose, "trial") != 0)
        return json_object();
    if (strcmp(ask->step->name, "topic") != 0)
        return json_pack("{s:s}", "label",
                         json_get_text(ask->inputs, "topic", "?"));
    if (row % 10 >=
        (int)(10 * (support->base + (ask->part->n_demos > 0 ? 0.4 : 0))))
        topic = topic[0] == 'x' ? "y" : "x";
    return json_pack("{s:s}", "topic", topic);
}

static double score_two(void *user, const json_t *example,
                        const json_t *outputs)
{
    (void)user;
    return strcmp(json_get_text(example, "label", "?"),
                  json_get_text(outputs, "label", "!")) == 0;
}

Test(screen_and_race, steps_are_searched_in_order_of_their_losses)
{
    struct support support = {.base = 0.4};
    const struct fake_script script = {answer_two, score_two, &support};
    char examples[8000];
    int at = snprintf(examples, sizeof examples, "[");

    for (int i = 0; i < 60; i++)
        at += snprintf(examples + at, sizeof examples - (size_t)at,
                       "%s{\"text\": \"row %d\", \"label\": \"%s\","
                       " \"topic.topic\": \"%s\"}",
                       i > 0 ? "," : "", i, i % 3 == 0 ? "x" : "y",
                       i % 3 == 0 ? "x" : "y");
    snprintf(examples + at, sizeof examples - (size_t)at, "]");
    struct session *fake =
        fake_new("inputs: {text: {desc: A text}}\n"
                 "steps:\n"
                 "  topic: {predict: Find the topic., inputs: [text],"
                 " outputs: {topic: {enum: [x, y]}}}\n"
                 "  label: {predict: Give the label., inputs: {text: , topic:"
                 " topic.topic}, outputs: {label: {enum: [x, y]}}}\n"
                 "outputs: {label: label.label}\n",
                 examples, 0, NULL, script, FINISH_LATE);

    optimize(fake, "{auto: light, proposals: 0}");
    cr_expect_gt(fake->best->candidate->parts[0].n_demos, 0);
    cr_expect_geq(fake->best->score, 0.75, "%g", fake->best->score);
    fake_free(fake);
}
