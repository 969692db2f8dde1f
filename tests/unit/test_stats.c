#include <criterion/criterion.h>

#include <math.h>

#include "common/stats.h"

static void expect_interval(struct interval got, double low, double high,
                            double within)
{
    cr_expect_float_eq(got.low, low, within, "low is %.6f, not %.6f", got.low,
                       low);
    cr_expect_float_eq(got.high, high, within, "high is %.6f, not %.6f",
                       got.high, high);
}

// Newcombe, Two-sided confidence intervals for the single proportion,
// Statistics in Medicine 17 (1998), table I, method 3.
Test(stats, wilson_agrees_with_newcombes_table)
{
    expect_interval(stats_wilson(81, 263), 0.2553, 0.3662, 0.00006);
    expect_interval(stats_wilson(15, 148), 0.0624, 0.1605, 0.00006);
    expect_interval(stats_wilson(0, 20), 0.0000, 0.1611, 0.00006);
    expect_interval(stats_wilson(1, 29), 0.0061, 0.1718, 0.00006);
}

Test(stats, wilson_is_symmetric_and_stays_inside_0_and_1)
{
    for (size_t right = 0; right <= 50; right++) {
        struct interval one = stats_wilson(right, 50);
        struct interval other = stats_wilson(50 - right, 50);
        cr_expect_float_eq(one.low, 1 - other.high, 1e-12);
        cr_expect(one.low >= 0 && one.high <= 1);
        cr_expect(one.low <= (double)right / 50);
        cr_expect(one.high >= (double)right / 50);
    }
    expect_interval(stats_wilson(0, 0), 0, 1, 0);
}

// For the table 101, 121; 59, 33, the two-sided exact test gives 4.434e-6,
// according to the documentation of statistics packages. The others are sums of
// binomial coefficients done by hand.
Test(stats, mcnemar_agrees_with_known_tables)
{
    cr_expect_float_eq(stats_mcnemar(121, 59), 4.434449263755176e-06, 1e-17);
    cr_expect_float_eq(stats_mcnemar(5, 15), 2 * 21700.0 / 1048576, 1e-15);
    cr_expect_float_eq(stats_mcnemar(1, 7), 2 * 9.0 / 256, 1e-15);
    cr_expect_float_eq(stats_mcnemar(0, 6), 2 * 1.0 / 64, 1e-15);
}

Test(stats, mcnemar_of_balanced_or_no_differences_is_1)
{
    cr_expect_eq(stats_mcnemar(0, 0), 1);
    cr_expect_eq(stats_mcnemar(1, 0), 1);
    cr_expect_eq(stats_mcnemar(40, 40), 1);
    cr_expect_float_eq(stats_mcnemar(5000, 5001), 1, 1e-9);
}

Test(stats, mcnemar_stays_in_range_for_large_counts)
{
    double p = stats_mcnemar(4800, 5200); // z = 4: about 6.6e-5

    cr_expect(p > 6e-5 && p < 7e-5, "%g", p);
    cr_expect(stats_mcnemar(0, 100000) >= 0);
    cr_expect(stats_mcnemar(0, 100000) < 1e-300);
}

// Darwin's fifteen pairs of maize, in eighths of an inch. Fisher (The Design of
// Experiments, 1935, section 21) counts 863 of 32768 arrangements with a sum as
// large, on either side.
Test(stats, sign_flips_agree_with_fishers_count)
{
    static const double eighths[15] = {49, -67, 8,  16, 6,  23, 28, 41,
                                       14, 29,  56, 24, 75, 60, -48};
    double crossed[15];
    double selfed[15];

    for (int i = 0; i < 15; i++) {
        crossed[i] = (eighths[i] + 70) / 150;
        selfed[i] = 70.0 / 150;
    }
    cr_expect_float_eq(stats_paired(crossed, selfed, 15, 1), 2 * 863.0 / 32768,
                       1e-12);
}

Test(stats, drawn_signs_come_near_the_exact_probability)
{
    double a[40];
    double b[40] = {0};

    // Darwin's 15 rows determine the exact p. Rows with tiny differences hardly
    // change it, but raise the count above the limit of the exact test.
    static const double eighths[15] = {49, -67, 8,  16, 6,  23, 28, 41,
                                       14, 29,  56, 24, 75, 60, -48};
    for (int i = 0; i < 40; i++) {
        a[i] = i < 15 ? (eighths[i] + 70) / 150 : 0.5 + 1e-7;
        b[i] = i < 15 ? 70.0 / 150 : 0.5;
    }
    double p = stats_paired(a, b, 40, 7);
    cr_expect_float_eq(p, 2 * 863.0 / 32768, 0.006, "%g", p);
    cr_expect_eq(p, stats_paired(a, b, 40, 7));
}

Test(stats, paired_test_of_right_and_wrong_counts_the_differences)
{
    const double a[10] = {1, 1, 1, 1, 1, 1, 1, 0, 1, 0};
    const double b[10] = {0, 0, 0, 0, 0, 0, 0, 1, 1, 0};

    cr_expect_float_eq(stats_paired(a, b, 10, 1), 2 * 9.0 / 256, 1e-15);
    cr_expect_eq(stats_paired(a, a, 10, 1), 1);
}

Test(stats, equal_graded_scores_do_not_differ)
{
    const double a[3] = {0.5, 0.25, 1};

    cr_expect_eq(stats_paired(a, a, 3, 1), 1);
}

// For the mean of many scores, the percentile interval is near the normal one:
// 0.5 plus or minus 1.96 x sqrt(1/12) / sqrt(1000).
Test(stats, the_bootstrap_comes_near_the_normal_interval)
{
    static double scores[1000];

    for (int i = 0; i < 1000; i++)
        scores[i] = (i + 0.5) / 1000;
    expect_interval(stats_bootstrap(scores, 1000, 3), 0.5 - 0.01789,
                    0.5 + 0.01789, 0.0015);
}

Test(stats, the_bootstrap_depends_on_its_seed_alone)
{
    const double scores[6] = {0.1, 0.9, 0.4, 0.35, 0.8, 0.2};
    struct interval one = stats_interval(scores, 6, 5);
    struct interval same = stats_interval(scores, 6, 5);
    struct interval other = stats_interval(scores, 6, 6);

    cr_expect_eq(one.low, same.low);
    cr_expect_eq(one.high, same.high);
    cr_expect(one.low != other.low || one.high != other.high);
    cr_expect(one.low < stats_mean(scores, 6) &&
              stats_mean(scores, 6) < one.high);
}

// A single score of 0.5 does not make it certain that the mean is 0.5.
Test(stats, scores_that_are_all_the_same_have_an_interval)
{
    const double scores[] = {0.5, 0.5, 0.5};
    struct interval one = stats_interval(scores, 1, 1);
    struct interval three = stats_interval(scores, 3, 1);

    expect_interval(one, 0.0546, 0.9454, 0.0001);
    expect_interval(three, 0.1253, 0.8747, 0.0001);
}

Test(stats, right_and_wrong_scores_get_wilsons_interval)
{
    const double scores[4] = {1, 1, 1, 1};
    struct interval got = stats_interval(scores, 4, 1);
    struct interval wilson = stats_wilson(4, 4);

    cr_expect_eq(got.low, wilson.low);
    cr_expect_eq(got.high, 1);
    cr_expect(got.low < 1);
}

Test(stats, the_mean_of_nothing_is_0)
{
    cr_expect_eq(stats_mean(NULL, 0), 0);
}

Test(stats, wilson_of_a_share_equals_wilson_of_the_count)
{
    for (size_t right = 0; right <= 30; right++) {
        struct interval of_count = stats_wilson(right, 30);
        struct interval of_share = stats_wilson_share((double)right / 30, 30);

        expect_interval(of_share, of_count.low, of_count.high, 0);
    }
    expect_interval(stats_wilson_share(0.5, 0), 0, 1, 0);
}
