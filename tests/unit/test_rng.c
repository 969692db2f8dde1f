#include "common/rng.h"

#include <string.h>

#include <criterion/criterion.h>

static struct rng rng;

static void open_rng(void)
{
    rng_init(&rng, 42, "demo-sets", 7);
}

TestSuite(rng, .init = open_rng);

// The expected values come from a separate ChaCha20 and BLAKE2b in Python, so
// they hold on every machine.
Test(rng, the_numbers_of_a_stream_never_change)
{
    uint64_t numbers[65];

    for (size_t i = 0; i < 65; i++)
        numbers[i] = rng_u64(&rng);
    cr_expect_eq(numbers[0], 0xa771cf12a5cf6b0d);
    cr_expect_eq(numbers[1], 0x45f8abfb34ae452f);
    cr_expect_eq(numbers[63], 0xb48e1ee1eeba63e0);
    cr_expect_eq(numbers[64], 0x586c55877eee1ba9);
}

static uint64_t first_of(uint64_t seed, const char *purpose, uint64_t index)
{
    struct rng other;

    rng_init(&other, seed, purpose, index);
    return rng_u64(&other);
}

Test(rng, seed_purpose_and_index_each_select_a_different_stream)
{
    uint64_t first = rng_u64(&rng);

    cr_expect_eq(first_of(42, "demo-sets", 7), first);
    cr_expect_neq(first_of(43, "demo-sets", 7), first);
    cr_expect_neq(first_of(42, "demo-set", 7), first);
    cr_expect_neq(first_of(42, "demo-sets", 8), first);
}

Test(rng, a_number_below_a_bound_stays_below_and_reaches_all)
{
    size_t seen[7] = {0};

    for (int i = 0; i < 7000; i++) {
        uint64_t value = rng_below(&rng, 7);
        cr_assert_lt(value, 7);
        seen[value]++;
    }
    // 1000 expected, a standard deviation of 29.
    for (size_t i = 0; i < 7; i++)
        cr_expect(seen[i] > 850 && seen[i] < 1150, "%zu: %zu", i, seen[i]);
    cr_expect_eq(rng_below(&rng, 1), 0);
}

// With 3 * 2^62 as the bound, a plain remainder would be in the lowest third
// half of the time.
Test(rng, a_large_bound_is_not_biased)
{
    const uint64_t third = UINT64_C(1) << 62;
    int low = 0;

    for (int i = 0; i < 3000; i++)
        low += rng_below(&rng, 3 * third) < third;
    cr_expect(low > 850 && low < 1150, "%d", low);
}

Test(rng, doubles_are_in_the_unit_interval_and_spread)
{
    double sum = 0;

    for (int i = 0; i < 10000; i++) {
        double value = rng_double(&rng);
        cr_assert(value >= 0 && value < 1);
        cr_assert_eq(value * 0x1p53, (double)(uint64_t)(value * 0x1p53));
        sum += value;
    }
    cr_expect(sum > 4850 && sum < 5150, "%g", sum);
}

// Marks each of the items in seen, which contains n zeros.
static void count_items(const size_t *items, size_t count, size_t *seen,
                        size_t n)
{
    for (size_t i = 0; i < count; i++) {
        cr_assert_lt(items[i], n);
        seen[items[i]]++;
    }
}

Test(rng, shuffling_keeps_every_item_and_moves_some)
{
    size_t items[50];
    size_t seen[50] = {0};
    size_t moved = 0;

    for (size_t i = 0; i < 50; i++)
        items[i] = i;
    rng_shuffle(&rng, items, 50);
    count_items(items, 50, seen, 50);
    for (size_t i = 0; i < 50; i++) {
        cr_expect_eq(seen[i], 1);
        moved += items[i] != i;
    }
    cr_expect_gt(moved, 40);
    rng_shuffle(&rng, NULL, 0);
}

Test(rng, every_order_of_three_is_equally_likely)
{
    size_t seen[27] = {0};

    for (int i = 0; i < 6000; i++) {
        size_t items[3] = {0, 1, 2};
        rng_shuffle(&rng, items, 3);
        seen[items[0] * 9 + items[1] * 3 + items[2]]++;
    }
    for (size_t i = 0; i < 27; i++) {
        if (seen[i] > 0)
            cr_expect(seen[i] > 850 && seen[i] < 1150, "%zu: %zu", i, seen[i]);
    }
    cr_expect_gt(seen[0 * 9 + 1 * 3 + 2], 0);
    cr_expect_gt(seen[2 * 9 + 1 * 3 + 0], 0);
}

Test(rng, sample_repeats_no_item_and_reaches_all)
{
    size_t total[10] = {0};

    for (int round = 0; round < 1000; round++) {
        size_t out[10];
        size_t seen[10] = {0};
        rng_sample(&rng, 10, 4, out);
        count_items(out, 4, seen, 10);
        for (size_t i = 0; i < 10; i++) {
            cr_assert_leq(seen[i], 1);
            total[i] += seen[i];
        }
    }
    // 400 expected, a standard deviation of 15.
    for (size_t i = 0; i < 10; i++)
        cr_expect(total[i] > 320 && total[i] < 480, "%zu: %zu", i, total[i]);
}
