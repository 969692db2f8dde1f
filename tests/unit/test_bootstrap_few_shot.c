#include <criterion/criterion.h>

#include "fake_support.h"

static struct err err;

static void optimize(struct session *fake, const char *params)
{
    cr_assert(fake_optimize(fake, "bootstrap_few_shot", params, &err), "%s",
              err.text);
}

Test(bootstrap_few_shot, traces_and_labels_make_one_candidate)
{
    struct support support = {.base = 0.3, .demo_gain = 0.4, .teacher = 0.7};
    struct session *fake = support_session(&support, 70, 40, FINISH_LATE);

    optimize(fake, "{}");
    cr_assert_eq(fake->n_trials, 2);
    cr_expect_eq(fake->trials[1]->candidate->parts[0].n_demos, 16);
    cr_expect_eq(fake->best, fake->trials[1]);
    cr_expect_leq(fake->asked_bootstrap, 16);
    fake_free(fake);
}

Test(bootstrap_few_shot, without_traces_the_teacher_is_not_run)
{
    struct support support = {.base = 0.3, .demo_gain = 0.4, .teacher = 0.7};
    struct session *fake = support_session(&support, 70, 40, FINISH_LATE);

    optimize(fake, "{max_bootstrapped_demos: 0, max_labeled_demos: 5}");
    cr_expect_eq(fake->asked_bootstrap, 0);
    cr_expect_eq(fake->trials[1]->candidate->parts[0].n_demos, 5);
    fake_free(fake);
}

Test(bootstrap_few_shot, without_budget_for_a_trial_it_ends_with_the_baseline)
{
    struct support support = {.base = 0.3, .demo_gain = 0.4, .teacher = 0.7};
    struct session *fake = support_session(&support, 70, 40, FINISH_LATE);

    fake->max_trials = 1;
    optimize(fake, "{}");
    cr_expect_eq(fake->n_trials, 1);
    cr_expect_eq(fake->best, fake->trials[0]);
    cr_expect_str_eq(fake->ended, "budget");
    fake_free(fake);
}
