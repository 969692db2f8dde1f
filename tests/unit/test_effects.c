#include "search/toolkit/effects.h"

#include <math.h>

#include <criterion/criterion.h>

static struct err err;
static struct effects *effects;

static void start(const double *deviations, size_t n, double noise, double row)
{
    effects = effects_new(deviations, n, noise, row, &err);
    cr_assert_not_null(effects, "%s", err.text);
}

static void add(size_t effect, size_t row, double score)
{
    const struct effect_term term = {effect, 1};

    cr_assert(effects_add(effects, &term, 1, row, score, &err));
}

static struct effect_guess guess_of(size_t effect)
{
    const struct effect_term term = {effect, 1};

    return effects_guess(effects, &term, 1);
}

static void end(void)
{
    effects_free(effects);
}

TestSuite(effects, .fini = end);

// Precision 1 / 2^2 + 2 = 9/4, sum of scores 1: mean 4/9, deviation 2/3.
Test(effects, rows_without_effect_give_the_ridge_mean)
{
    start((double[]){2}, 1, 1, 0);
    add(0, 0, 1);
    add(0, 1, 0);
    effects_solve(effects);
    cr_expect_float_eq(guess_of(0).mean, 4.0 / 9, 1e-12);
    cr_expect_float_eq(guess_of(0).deviation, 2.0 / 3, 1e-12);
}

// Both scores are of one row, covariance [2 1; 1 2], inverse [2 -1; -1 2] / 3:
// precision 1/4 + 2/3 = 11/12, mean (1/3) / (11/12) = 4/11.
Test(effects, two_scores_of_one_row_weigh_less_than_of_two_rows)
{
    start((double[]){2}, 1, 1, 1);
    add(0, 7, 1);
    add(0, 7, 0);
    effects_solve(effects);
    cr_expect_float_eq(guess_of(0).mean, 4.0 / 11, 1e-12);
    cr_expect_float_eq(guess_of(0).deviation, sqrt(12.0 / 11), 1e-12);
}

// Two effects on one row, scores 1 and 0. With D the inverse above,
// A = I + D = [5 -1; -1 5] / 3, and A x = [2/3, -1/3]:
// x = 3/24 [5 1; 1 5] [2/3, -1/3] = [3/8, -1/8].
Test(effects, shared_row_separates_two_effects)
{
    start((double[]){1, 1}, 2, 1, 1);
    add(0, 3, 1);
    add(1, 3, 0);
    effects_solve(effects);
    cr_expect_float_eq(guess_of(0).mean, 3.0 / 8, 1e-12);
    cr_expect_float_eq(guess_of(1).mean, -1.0 / 8, 1e-12);
}

Test(effects, untried_combination_is_predicted_as_the_sum_of_its_parts)
{
    // The mean, two texts, two demo sets; the pair of the better ones is
    // missing.
    static const double deviations[] = {2, 1, 1, 1, 1};
    static const struct {
        size_t text, set;
        double score;
    } tried[] = {{1, 3, 0.2}, {2, 3, 0.5}, {1, 4, 0.6}};

    start(deviations, 5, 0.1, 0.1);
    for (size_t t = 0; t < 3; t++)
        for (size_t row = 0; row < 8; row++) {
            const struct effect_term terms[] = {
                {0, 1}, {tried[t].text, 1}, {tried[t].set, 1}};
            cr_assert(
                effects_add(effects, terms, 3, row, tried[t].score, &err));
        }
    effects_solve(effects);
    const struct effect_term best[] = {{0, 1}, {2, 1}, {4, 1}};
    const struct effect_term worst[] = {{0, 1}, {1, 1}, {3, 1}};
    cr_expect_float_eq(effects_guess(effects, best, 3).mean, 0.9, 0.05);
    cr_expect_gt(effects_guess(effects, best, 3).deviation,
                 effects_guess(effects, worst, 3).deviation,
                 "and less sure than what was seen");
}

Test(effects, the_order_of_the_scores_does_not_matter)
{
    double means[2];

    for (int turn = 0; turn < 2; turn++) {
        start((double[]){2, 1}, 2, 0.5, 0.3);
        for (size_t k = 0; k < 20; k++) {
            size_t i = turn == 0 ? k : 19 - k;
            add(i % 2, i % 7, i % 3 == 0);
        }
        effects_solve(effects);
        means[turn] = guess_of(1).mean;
        if (turn == 0)
            effects_free(effects);
    }
    cr_expect_float_eq(means[0], means[1], 1e-12);
}
