// The efforts that optimizers announce. All optimizers of the table are tested,
// so this covers new ones, too.

#include <math.h>
#include <stdio.h>

#include <criterion/criterion.h>

#include "coordinator/course.h"
#include "fake_support.h"

static struct err err;

enum { ROWS = 90, TRAIN = 40 };

// Nothing is ever perfect, and the teacher's words help now and then, so no
// search ends early.
static const struct support world = {.base = 0.3,
                                     .demo_gain = 0.2,
                                     .good_gain = 0.1,
                                     .good_every = 3,
                                     .teacher = 0.7};

static struct session *search(struct support *support, const char *name)
{
    struct session *fake;

    *support = world;
    fake = support_session(support, ROWS, TRAIN, FINISH_LATE);
    cr_assert(fake_optimize(fake, name, "{}", &err), "%s: %s", name, err.text);
    return fake;
}

Test(effort, expectation_before_the_search_is_close_to_the_actual_effort)
{
    for (size_t i = 0; optimizers[i] != NULL; i++) {
        const char *name = optimizers[i]->name;
        struct support support;
        struct session *fake = search(&support, name);
        size_t before = ROWS - TRAIN; // the baseline's
        double took = (double)(fake->submitted - before);
        double expected = (double)fake_effort(fake, name, "{}").examples;

        cr_expect_leq(took, 1.5 * expected, "%s: %.0f of %.0f", name, took,
                      expected);
        cr_expect_geq(took, 0.5 * expected, "%s: %.0f of %.0f", name, took,
                      expected);
        fake_free(fake);
    }
}

Test(effort, last_expectation_is_within_15_percent_of_the_actual_effort)
{
    for (size_t i = 0; optimizers[i] != NULL; i++) {
        struct support support;
        struct session *fake = search(&support, optimizers[i]->name);
        const struct fake_expectation *last;

        cr_assert_gt(fake->n_expected, 0, "%s corrects what it expects",
                     optimizers[i]->name);
        last = &fake->expected[fake->n_expected - 1];
        cr_expect_lt(fabs((double)last->examples - (double)fake->submitted),
                     0.15 * (double)fake->submitted, "%s: %zu of %zu",
                     optimizers[i]->name, fake->submitted, last->examples);
        fake_free(fake);
    }
}

Test(effort, shown_progress_never_goes_back_when_expectations_change)
{
    for (size_t i = 0; optimizers[i] != NULL; i++) {
        struct support support;
        struct session *fake = search(&support, optimizers[i]->name);
        struct course course = {0};
        double before = 0;

        for (size_t k = 0; k < fake->n_expected; k++) {
            const struct fake_expectation *at = &fake->expected[k];
            double now;

            course_expect(&course, (int64_t)at->examples,
                          (int64_t)at->submitted);
            now = course_share(&course, (int64_t)at->submitted);
            cr_expect_geq(now, before, "%s: back from %.3f to %.3f",
                          optimizers[i]->name, before, now);
            before = now;
        }
        fake_free(fake);
    }
}

Test(effort, announced_number_of_trials_is_exact)
{
    for (size_t i = 0; optimizers[i] != NULL; i++) {
        struct support support;
        struct session *fake = search(&support, optimizers[i]->name);

        for (size_t k = 0; k < fake->n_expected; k++)
            if (fake->expected[k].trials > 0)
                cr_expect_eq(fake->expected[k].trials, fake->n_trials,
                             "%s: %zu of %zu", optimizers[i]->name,
                             fake->n_trials, fake->expected[k].trials);
        fake_free(fake);
    }
}
