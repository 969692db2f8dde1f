#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "fake_support.h"

static struct err err;

static struct support good_support(void)
{
    return (struct support){.base = 0.2,
                            .demo_gain = 0.2,
                            .good_gain = 0.4,
                            .teacher = 0.7,
                            .good_every = 3};
}

static void optimize(struct session *fake, const char *params)
{
    cr_assert(fake_optimize(fake, "miprov2", params, &err), "%s", err.text);
}

Test(miprov2, it_finds_the_best_instruction_together_with_demos)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 120, 40, FINISH_LATE);

    optimize(fake, "{auto: light, num_trials: 30}");
    const struct candidate_part *part = &fake->best->candidate->parts[0];
    cr_expect_not_null(strstr(part->instruction, "GOOD"), "%s",
                       part->instruction);
    cr_expect_gt(part->n_demos, 0);
    cr_expect_eq(fake->best->kind, TRIAL_FULL);
    fake_free(fake);
}

Test(miprov2, light_with_minibatches_makes_10_trials_and_2_full_ones)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 120, 40, FINISH_LATE);

    optimize(fake, "{auto: light}");
    cr_expect_eq(fake_count(fake, TRIAL_MINIBATCH), 10);
    cr_expect_eq(fake_count(fake, TRIAL_FULL), 2);
    cr_expect_eq(fake->expected[0].trials, 13);
    for (size_t i = 1; i < fake->n_trials; i++)
        cr_expect_eq(fake->trials[i]->n_rows,
                     fake->trials[i]->kind == TRIAL_FULL ? 80 : 35);
    fake_free(fake);
}

Test(miprov2, up_to_50_validation_rows_every_trial_is_full)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 90, 40, FINISH_LATE);

    optimize(fake, "{auto: light}");
    cr_expect_eq(fake_count(fake, TRIAL_MINIBATCH), 0);
    cr_expect_eq(fake_count(fake, TRIAL_FULL), 10);
    fake_free(fake);
}

Test(miprov2, auto_caps_the_validation_rows)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 200, 40, FINISH_LATE);

    optimize(fake, "{auto: light, num_trials: 4}");
    cr_assert_gt(fake_count(fake, TRIAL_FULL), 0);
    for (size_t i = 1; i < fake->n_trials; i++) {
        if (fake->trials[i]->kind == TRIAL_FULL)
            cr_expect_eq(fake->trials[i]->n_rows, 100);
    }
    fake_free(fake);
}

Test(miprov2, explicit_values_override_auto)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 120, 40, FINISH_LATE);

    optimize(fake, "{auto: light, num_trials: 4, num_candidates: 2,"
                   " minibatch_size: 7, minibatch_full_eval_steps: 2}");
    cr_expect_eq(fake_count(fake, TRIAL_MINIBATCH), 4);
    cr_expect_eq(fake->expected[0].trials, 7);
    cr_expect_eq(fake->asked_propose, 2);
    for (size_t i = 1; i < fake->n_trials; i++) {
        if (fake->trials[i]->kind == TRIAL_MINIBATCH)
            cr_expect_eq(fake->trials[i]->n_rows, 7);
    }
    fake_free(fake);
}

Test(miprov2, tunables_are_searched_and_add_to_the_trials)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 120, 40, FINISH_LATE);
    const json_t *choices[] = {json_real(0), json_real(0.5), json_real(1)};
    bool seen[3] = {false};

    fake->job.tunables.n = 1;
    fake->job.tunables.items[0] = (struct tunable){.name = "temperature",
                                                   .step = -1,
                                                   .choices = choices,
                                                   .n_choices = 3,
                                                   .default_index = 1};
    optimize(fake, "{auto: light}");
    cr_expect_eq(fake_count(fake, TRIAL_MINIBATCH), 15,
                 "2 * 3 dimensions * log2(6)");
    for (size_t i = 0; i < fake->n_trials; i++)
        seen[tunable_get(&fake->job.tunables.items[0],
                         fake->trials[i]->candidate)] = true;
    cr_expect(seen[0] && seen[1] && seen[2]);
    for (size_t i = 0; i < 3; i++)
        json_decref((json_t *)choices[i]);
    fake_free(fake);
}

// --- the number of trials, counted over all predictors

static json_t *answer_any(void *user, const struct fake_ask *ask)
{
    json_t *outputs = json_object();
    char text[64];

    (void)user;
    snprintf(text, sizeof text, "Text %lld", (long long)ask->sampling->draw);
    for (size_t i = 0; i < ask->step->signature.n_outputs; i++)
        json_object_set_new(outputs, ask->step->signature.outputs[i].name,
                            json_string(text));
    return outputs;
}

static double score_half(void *user, const json_t *example,
                         const json_t *outputs)
{
    (void)user;
    (void)outputs;
    return strlen(json_get_text(example, "text", "")) % 2 == 0 ? 1 : 0;
}

// n steps next to each other. The metric reads only the first, so the plan
// leaves out all others.
static struct session *wide_session(int n)
{
    static const char *const reads[] = {"o0", NULL};
    const struct fake_script script = {answer_any, score_half, NULL};
    char yaml[4096];
    int at = snprintf(yaml, sizeof yaml,
                      "inputs: {text: {desc: A text}}\n"
                      "steps:\n");
    for (int i = 0; i < n; i++)
        at += snprintf(yaml + at, sizeof yaml - (size_t)at,
                       "  s%d: {predict: Step., inputs: [text],"
                       " outputs: {o%d: {desc: x}}}\n",
                       i, i);
    at += snprintf(yaml + at, sizeof yaml - (size_t)at, "outputs: {");
    for (int i = 0; i < n; i++)
        at += snprintf(yaml + at, sizeof yaml - (size_t)at, "o%d: s%d.o%d%s", i,
                       i, i, i + 1 < n ? ", " : "}\n");
    char *examples = support_examples(12);
    struct session *fake =
        fake_new(yaml, examples, 4, reads, script, FINISH_LATE);
    free(examples);
    return fake;
}

static size_t count_trials(int predictors, const char *params)
{
    struct session *fake = wide_session(predictors);

    optimize(fake, params);
    size_t n = fake_count(fake, TRIAL_FULL);
    fake_free(fake);
    return n;
}

Test(miprov2, trials_are_counted_over_all_predictors_including_skipped_ones)
{
    cr_expect_eq(count_trials(1, "{auto: light}"), 10);
    cr_expect_eq(count_trials(2, "{auto: light}"), 20);
    cr_expect_eq(count_trials(3, "{auto: light}"), 31);
    cr_expect_eq(count_trials(8, "{auto: light}"), 82);
    cr_expect_eq(count_trials(1, "{auto: medium}"), 18);
    cr_expect_eq(count_trials(3, "{auto: medium}"), 43);
    cr_expect_eq(count_trials(1, "{auto: heavy}"), 27);
    cr_expect_eq(count_trials(4, "{auto: heavy}"), 66);
}

#define ZERO "max_bootstrapped_demos: 0, max_labeled_demos: 0"

Test(miprov2, zero_shot_trials_are_fewer)
{
    cr_expect_eq(count_trials(1, "{auto: light, " ZERO "}"), 9);
    cr_expect_eq(count_trials(3, "{auto: light, " ZERO "}"), 15);
    cr_expect_eq(count_trials(8, "{auto: light, " ZERO "}"), 41);
    cr_expect_eq(count_trials(3, "{auto: medium, " ZERO "}"), 21);
    cr_expect_eq(count_trials(4, "{auto: heavy, " ZERO "}"), 33);
}

// --- modes

Test(miprov2, zero_shot_candidates_show_no_demos)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 120, 40, FINISH_LATE);

    optimize(fake, "{auto: light, " ZERO "}");
    for (size_t i = 0; i < fake->n_trials; i++)
        cr_expect_eq(fake->trials[i]->candidate->parts[0].n_demos, 0);
    cr_expect_eq(fake->asked_propose, 6);
    cr_expect_gt(fake->asked_bootstrap, 0, "traces ground the proposer");
    cr_expect_not_null(
        strstr(fake->best->candidate->parts[0].instruction, "GOOD"));
    fake_free(fake);
}

Test(miprov2, labels_alone_make_demo_sets)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 120, 40, FINISH_LATE);

    optimize(fake, "{auto: light, max_bootstrapped_demos: 0}");
    cr_expect_eq(fake->asked_bootstrap, 0);
    cr_expect_gt(fake->best->candidate->parts[0].n_demos, 0);
    fake_free(fake);
}

Test(miprov2, train_and_validation_may_be_the_same_rows)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 40, 0, FINISH_LATE);

    optimize(fake, "{auto: light, num_trials: 30}");
    cr_expect_not(support.saw_itself);
    cr_expect_not_null(
        strstr(fake->best->candidate->parts[0].instruction, "GOOD"));
    fake_free(fake);
}

Test(miprov2, without_any_proposal_demos_are_searched_alone)
{
    struct support support = good_support();
    support.silent_proposals = true;
    struct session *fake = support_session(&support, 120, 40, FINISH_LATE);

    optimize(fake, "{auto: light}");
    cr_expect_gt(fake->best->candidate->parts[0].n_demos, 0);
    fake_free(fake);
}

// --- ends

Test(miprov2, many_trials_of_few_combinations_do_not_end_it)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 120, 40, FINISH_LATE);

    optimize(fake, "{auto: none, num_candidates: 2, num_trials: 25, " ZERO "}");
    cr_expect_eq(fake_count(fake, TRIAL_MINIBATCH), 25);
    // Three combinations, one of which is the baseline.
    cr_expect_leq(fake_count(fake, TRIAL_FULL), 2);
    fake_free(fake);
}

Test(miprov2, perfect_score_ends_the_search)
{
    struct support support = good_support();
    support.good_gain = 1;
    struct session *fake = support_session(&support, 90, 40, FINISH_LATE);

    optimize(fake, "{auto: heavy}");
    cr_expect_str_eq(fake->ended, "perfect");
    cr_expect_eq(fake->best->score, 1);
    cr_expect_lt(fake->n_trials, 27);
    fake_free(fake);
}

Test(miprov2, end_of_the_budget_keeps_the_best_so_far)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 90, 40, FINISH_LATE);

    fake->max_trials = 8;
    optimize(fake, "{auto: light}");
    cr_expect_eq(fake->n_trials, 8);
    cr_expect_str_eq(fake->ended, "budget");
    cr_expect_gt(fake->best->score, fake->trials[0]->score);
    fake_free(fake);
}

Test(miprov2, end_of_the_budget_ships_a_minibatch_winner_only_if_clear)
{
    // The baseline and four minibatches: no other trial had all rows.
    const double gains[] = {0.5, 0.02};

    for (size_t i = 0; i < 2; i++) {
        struct support support = good_support();
        support.demo_gain = gains[i];
        support.good_every = 0;
        struct session *fake = support_session(&support, 120, 60, FINISH_LATE);

        fake->max_trials = 5;
        optimize(fake, "{auto: light, minibatch_size: 30}");
        cr_expect_eq(fake_count(fake, TRIAL_MINIBATCH), 4);
        cr_expect_str_eq(fake->ended, "budget");
        cr_expect_eq(fake->best != fake->trials[0], gains[i] == 0.5);
        fake_free(fake);
    }
}

Test(miprov2, budget_that_ends_during_bootstrapping_leaves_the_baseline)
{
    for (size_t most = 1; most <= 40; most += 13) {
        struct support support = good_support();
        struct session *fake = support_session(&support, 90, 40, FINISH_LATE);

        fake->max_runs = most;
        optimize(fake, "{auto: light}");
        cr_expect_eq(fake->n_trials, 1);
        cr_expect_str_eq(fake->ended, "budget");
        fake_free(fake);
    }
}

Test(miprov2, larger_budget_continues_the_same_trials)
{
    struct support support = good_support();
    struct support again = support;
    struct session *small = support_session(&support, 120, 40, FINISH_LATE);
    struct session *large = support_session(&again, 120, 40, FINISH_LATE);

    small->max_trials = 8;
    optimize(small, "{auto: light}");
    optimize(large, "{auto: light}");
    cr_assert_eq(small->n_trials, 8);
    for (size_t i = 0; i < 8; i++)
        cr_expect(hash_equal(&small->trials[i]->candidate->id,
                             &large->trials[i]->candidate->id));
    fake_free(small);
    fake_free(large);
}

Test(miprov2, fault_in_any_run_ends_the_search_and_frees_everything)
{
    bool ok = false;

    for (size_t at = 1; !ok; at += 3) {
        struct support support = good_support();
        struct session *fake = support_session(&support, 40, 20, FINISH_LATE);
        struct err why = ERR_CLEAR;
        fake->fault_at = at;
        ok = fake_optimize(fake, "miprov2", "{auto: light}", &why);
        cr_expect_eq(why.code, ok ? ERR_NONE : ERR_FAULT);
        fake_free(fake);
        cr_assert_lt(at, 300);
    }
}

Test(miprov2, no_gain_says_so)
{
    struct support support = {.base = 0.5, .demo_gain = -0.3, .teacher = 0.7};
    struct session *fake = support_session(&support, 120, 40, FINISH_LATE);

    optimize(fake, "{auto: light}");
    cr_expect_eq(fake->best, fake->trials[0]);
    cr_expect_str_eq(fake->ended, "no_improvement");
    fake_free(fake);
}

// --- determinism

Test(miprov2, result_does_not_depend_on_the_order_of_completion)
{
    static const char *const params[] = {
        "{auto: medium}", "{auto: medium, minibatch: false}",
        "{auto: light, minibatch_full_eval_steps: 2}"};

    for (size_t i = 0; i < 3; i++) {
        struct support support = good_support();
        struct support again = support;
        struct session *late = support_session(&support, 120, 40, FINISH_LATE);
        struct session *early = support_session(&again, 120, 40, FINISH_EARLY);
        optimize(late, params[i]);
        optimize(early, params[i]);
        fake_expect_same(late, early);
        fake_free(late);
        fake_free(early);
    }
}

Test(miprov2, each_minibatch_is_drawn_afresh_without_repeats)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 120, 40, FINISH_LATE);

    optimize(fake, "{auto: light}");
    const struct trial *a = fake->trials[1];
    const struct trial *b = fake->trials[2];
    cr_assert_eq(a->kind, TRIAL_MINIBATCH);
    cr_assert_eq(b->kind, TRIAL_MINIBATCH);
    cr_expect_neq(memcmp(a->rows, b->rows, 35 * sizeof *a->rows), 0);
    for (size_t i = 1; i < 35; i++)
        cr_expect_gt(a->rows[i], a->rows[i - 1]);
    fake_free(fake);
}

Test(miprov2, several_trials_run_at_once_within_the_window)
{
    struct support support = good_support();
    struct session *fake = support_session(&support, 120, 40, FINISH_LATE);

    optimize(fake, "{auto: medium}");
    cr_expect_eq(fake->most_open, 4);
    fake_free(fake);
}

Test(miprov2, another_seed_is_another_search)
{
    struct support support = good_support();
    struct support again = support;
    struct session *a = support_session(&support, 120, 40, FINISH_LATE);
    struct session *b = support_session(&again, 120, 40, FINISH_LATE);
    bool differs = false;

    b->job.seed = 0;
    optimize(a, "{auto: light}");
    optimize(b, "{auto: light}");
    for (size_t i = 1; i < a->n_trials && i < b->n_trials; i++)
        differs |= !hash_equal(&a->trials[i]->candidate->id,
                               &b->trials[i]->candidate->id);
    cr_expect(differs);
    fake_free(a);
    fake_free(b);
}
