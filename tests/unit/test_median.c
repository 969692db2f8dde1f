#include "dispatch/median.h"

#include <criterion/criterion.h>

Test(median, is_undefined_for_too_few_samples)
{
    struct median median = {0};

    for (int i = 0; i < MEDIAN_MIN_SAMPLES - 1; i++)
        median_add(&median, 7);
    cr_expect_eq(median_get(&median), -1);
    median_add(&median, 7);
    cr_expect_eq(median_get(&median), 7);
}

Test(median, is_the_middle_sample_in_any_order)
{
    struct median median = {0};
    const int64_t values[] = {900, 3, 50, 4, 1000000};

    for (int i = 0; i < 5; i++)
        median_add(&median, values[i]);
    cr_expect_eq(median_get(&median), 50);
}

Test(median, old_samples_are_forgotten)
{
    struct median median = {0};

    for (int i = 0; i < 1000; i++)
        median_add(&median, 1000 - i);
    for (int i = 0; i < MEDIAN_SAMPLES; i++)
        median_add(&median, 5000 + i);
    cr_expect_eq(median_get(&median), 5000 + MEDIAN_SAMPLES / 2);
}
