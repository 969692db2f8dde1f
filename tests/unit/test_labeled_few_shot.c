#include <criterion/criterion.h>

#include "fake_support.h"

static struct err err;

static void optimize(struct session *fake, const char *params)
{
    cr_assert(fake_optimize(fake, "labeled_few_shot", params, &err), "%s",
              err.text);
}

Test(labeled_few_shot, one_candidate_with_k_demos_is_fully_evaluated)
{
    struct support support = {.base = 0.3, .demo_gain = 0.4};
    struct session *fake = support_session(&support, 70, 40, FINISH_LATE);

    optimize(fake, "{}");
    cr_assert_eq(fake->n_trials, 2);
    cr_expect_eq(fake->trials[1]->kind, TRIAL_FULL);
    cr_expect_eq(fake->trials[1]->n, 30);
    cr_expect_eq(fake->trials[1]->candidate->parts[0].n_demos, 16);
    cr_expect_eq(fake->best, fake->trials[1]);
    cr_expect_null(fake->ended);
    fake_free(fake);
}

Test(labeled_few_shot, without_sample_the_first_rows_are_taken)
{
    struct support support = {.base = 0.3, .demo_gain = 0.4};
    struct session *fake = support_session(&support, 30, 20, FINISH_LATE);

    optimize(fake, "{k: 3, sample: false}");
    const struct candidate_part *part = &fake->trials[1]->candidate->parts[0];
    cr_assert_eq(part->n_demos, 3);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(part->demos[i].row, i);
    fake_free(fake);
}

Test(labeled_few_shot, no_gain_keeps_the_baseline_and_says_so)
{
    struct support support = {.base = 0.5, .demo_gain = -0.3};
    struct session *fake = support_session(&support, 70, 40, FINISH_LATE);

    optimize(fake, "{}");
    cr_expect_eq(fake->best, fake->trials[0]);
    cr_expect_str_eq(fake->ended, "no_improvement");
    fake_free(fake);
}

Test(labeled_few_shot, perfect_baseline_ends_the_search_at_once)
{
    struct support support = {.base = 1};
    struct session *fake = support_session(&support, 70, 40, FINISH_LATE);

    optimize(fake, "{}");
    cr_expect_eq(fake->n_trials, 1);
    cr_expect_eq(fake->asked_fill, 0);
    cr_expect_str_eq(fake->ended, "perfect");
    fake_free(fake);
}

Test(labeled_few_shot, row_used_as_a_demo_is_not_scored_when_rows_are_shared)
{
    struct support support = {.base = 0.3, .demo_gain = 0.4};
    struct session *fake = support_session(&support, 40, 0, FINISH_LATE);

    optimize(fake, "{k: 8}");
    cr_expect_eq(fake->trials[1]->n_rows, 40);
    cr_expect_eq(fake->trials[1]->n, 40);
    cr_expect_not(support.saw_itself);
    fake_free(fake);
}

Test(labeled_few_shot, a_pool_is_tried_for_each_number_that_the_job_allows)
{
    struct support support = {.base = 0.3, .demo_gain = 0.4};
    struct session *fake = support_session(&support, 40, 0, FINISH_LATE);

    fake->job.nearest[0] = 3;
    fake->job.nearest[1] = 5;
    fake->job.n_nearest = 2;
    optimize(fake, "{k: 8}");
    cr_assert_eq(fake->n_trials, 4);
    for (int i = 0; i < 2; i++) {
        const struct candidate_part *part =
            &fake->trials[2 + i]->candidate->parts[0];

        cr_expect_eq(part->n_demos, 40);
        cr_expect_eq(part->nearest, i == 0 ? 3 : 5);
        cr_expect_eq(fake->trials[2 + i]->n, 40, "no row is left out");
    }
    fake_free(fake);
}
