#include <criterion/criterion.h>

#include "fake_support.h"

static struct err err;

static void optimize(struct session *fake, const char *params)
{
    cr_assert(fake_optimize(fake, "bootstrap_random_search", params, &err),
              "%s", err.text);
}

Test(random_search, labeled_ordered_and_shuffled_sets_give_18_full_trials)
{
    struct support support = {.base = 0.3, .demo_gain = 0.4, .teacher = 0.7};
    struct session *fake = support_session(&support, 70, 40, FINISH_LATE);

    optimize(fake, "{}");
    cr_expect_eq(fake_count(fake, TRIAL_FULL), 18);
    cr_expect_eq(fake->expected[0].trials, 19);
    cr_expect_leq(fake->asked_bootstrap, 40, "rows are run once for all sets");
    // All sets help equally; of equal trials the earliest stays the best.
    cr_expect_eq(fake->best, fake->trials[1]);
    fake_free(fake);
}

Test(random_search, random_sets_have_between_one_and_the_maximum_traces)
{
    struct support support = {.base = 0.3, .demo_gain = 0.4, .teacher = 1};
    struct session *fake = support_session(&support, 70, 40, FINISH_LATE);
    bool small = false;

    optimize(fake, "{max_labeled_demos: 0}");
    cr_assert_eq(fake_count(fake, TRIAL_FULL), 17, "no set of labels");
    for (size_t i = 2; i < fake->n_trials; i++) {
        size_t n = fake->trials[i]->candidate->parts[0].n_demos;
        cr_expect(n >= 1 && n <= 4);
        small |= n < 4;
    }
    cr_expect(small);
    fake_free(fake);
}

Test(random_search, good_enough_score_ends_the_search_within_the_lag)
{
    struct support support = {.base = 0.3, .demo_gain = 0.4, .teacher = 0.7};
    struct session *fake = support_session(&support, 70, 40, FINISH_LATE);

    optimize(fake, "{stop_at_score: 0.6}");
    // Trial 2 is good enough, which is known when trial 6 would be proposed.
    cr_expect_eq(fake->n_trials, 5);
    cr_expect_eq(fake->best, fake->trials[1]);
    fake_free(fake);
}

Test(random_search, result_does_not_depend_on_the_order_of_completion)
{
    struct support support = {.base = 0.3, .demo_gain = 0.1, .teacher = 0.7};
    struct support again = support;
    struct session *late = support_session(&support, 70, 40, FINISH_LATE);
    struct session *early = support_session(&again, 70, 40, FINISH_EARLY);

    optimize(late, "{stop_at_score: 0.42}");
    optimize(early, "{stop_at_score: 0.42}");
    fake_expect_same(late, early);
    fake_free(late);
    fake_free(early);
}
