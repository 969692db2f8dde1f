#include "search/toolkit/merge.h"

#include <criterion/criterion.h>

#include "fake_pool.h"

static struct err err;
static struct fake_pool fake;
static struct merges merges;

static void start(void)
{
    fake_pool_init(&fake);
    merges = (struct merges){0};
}

static void stop(void)
{
    merges_release(&merges);
    fake_pool_release(&fake);
}

TestSuite(merge, .init = start, .fini = stop);

static struct merge find(uint64_t draw)
{
    struct merge merge;
    struct rng rng;

    rng_init(&rng, 9, "merges", draw);
    cr_assert(merge_find(&fake.pool, &merges, &rng, &merge, &err), "%s",
              err.text);
    return merge;
}

static void expect_parts(const struct merge *merge, const char *first,
                         const char *second)
{
    cr_assert_not_null(merge->candidate);
    cr_expect_str_eq(merge->candidate->parts[0].instruction, first);
    cr_expect_str_eq(merge->candidate->parts[1].instruction, second);
}

// 0 -+- 1 (first)
//    '- 2 (second)
static void add_two_lines(void)
{
    fake_pool_add(&fake, "000001", NULL, NULL, -1, -1);
    fake_pool_add(&fake, "aaa001", "Better one.", NULL, 0, -1);
    fake_pool_add(&fake, "000aa1", NULL, "Better two.", 0, -1);
}

Test(merge, each_parent_gives_the_part_only_it_changed)
{
    add_two_lines();
    struct merge merge = find(0);
    expect_parts(&merge, "Better one.", "Better two.");
    cr_expect_eq(merge.a, 1);
    cr_expect_eq(merge.b, 2);
    cr_expect_eq(merge.ancestor, 0);
    cr_assert_eq(merge.candidate->n_parents, 2);
    cr_expect(hash_equal(&merge.candidate->parents[1],
                         &fake.trials[2].candidate->id));
    candidate_unref(merge.candidate);
}

Test(merge, same_pair_is_not_merged_twice)
{
    add_two_lines();
    struct merge merge = find(0);
    candidate_unref(merge.candidate);
    cr_expect_null(find(1).candidate);
}

Test(merge, merge_already_in_the_pool_is_not_made)
{
    add_two_lines();
    fake_pool_add(&fake, "100001", "Better one.", "Better two.", -1, -1);
    cr_expect_null(find(0).candidate);
}

Test(merge, a_descendant_is_not_merged_with_its_ancestor)
{
    fake_pool_add(&fake, "000001", NULL, NULL, -1, -1);
    fake_pool_add(&fake, "aaa000", "Better one.", NULL, 0, -1);
    fake_pool_add(&fake, "000aaa", NULL, "Better two.", 1, -1);
    size_t space[3];
    size_t n = 9;
    cr_assert(merge_ancestors(&fake.pool, 1, 2, space, &n, &err));
    cr_expect_eq(n, 0);
    cr_expect_null(find(0).candidate);
}

Test(merge, parents_that_changed_only_the_same_part_are_not_merged)
{
    fake_pool_add(&fake, "000001", NULL, NULL, -1, -1);
    fake_pool_add(&fake, "aaa001", "Better one.", NULL, 0, -1);
    fake_pool_add(&fake, "000aa1", "Another one.", NULL, 0, -1);
    cr_expect_null(find(0).candidate);
}

// 0 -+- 1 (first: X) --- 3 (first: X, second: Y)
//    '- 2 (first: Z)
// Of 2 and 3, only 3 changed the second step. Both changed the first, so the
// better one, 3, gives it. The result is 3 itself, so no candidate is made. If
// 2 were better, the result would have Z and Y.
Test(merge, part_changed_by_both_comes_from_the_better_parent)
{
    fake_pool_add(&fake, "0000001", NULL, NULL, -1, -1);
    fake_pool_add(&fake, "1000001", "X", NULL, 0, -1);
    fake_pool_add(&fake, "0aaaa01", "Z", NULL, 0, -1);
    fake_pool_add(&fake, "a0000a1", NULL, "Y", 1, -1);
    struct merge merge = find(0);
    expect_parts(&merge, "Z", "Y");
    cr_expect_eq(merge.a, 2);
    cr_expect_eq(merge.b, 3);
    cr_expect_eq(merge.ancestor, 0);
    candidate_unref(merge.candidate);
}

Test(merge, ancestor_better_than_a_parent_is_not_used)
{
    fake_pool_add(&fake, "999991", NULL, NULL, -1, -1);
    fake_pool_add(&fake, "a00001", "Better one.", NULL, 0, -1);
    fake_pool_add(&fake, "0000a1", NULL, "Better two.", 0, -1);
    size_t space[3];
    size_t n = 9;
    cr_assert(merge_ancestors(&fake.pool, 1, 2, space, &n, &err));
    cr_expect_eq(n, 0);
    cr_expect_null(find(0).candidate);
}

Test(merge, few_rows_in_common_are_too_few)
{
    fake_pool_add(&fake, "00001", NULL, NULL, -1, -1);
    fake_pool_add(&fake, "aaa0-", "Better one.", NULL, 0, -1);
    fake_pool_add(&fake, "000a1", NULL, "Better two.", 0, -1);
    cr_expect_null(find(0).candidate);
}

Test(merge, rows_to_compare_on_come_from_all_three_kinds)
{
    fake_pool_add(&fake, "aaaa00000000", NULL, NULL, -1, -1);
    fake_pool_add(&fake, "0000aaaa000-", "x", NULL, -1, -1);
    for (uint64_t i = 0; i < 20; i++) {
        size_t rows[5];
        size_t n = 0;
        struct rng rng;
        rng_init(&rng, 9, "rows", i);
        cr_assert(merge_rows(&fake.trials[0], &fake.trials[1], 5, &rng, rows,
                             &n, &err));
        cr_assert_eq(n, 5);
        // Two rows where one parent is better, two where the other is, and one
        // other row.
        cr_expect_lt(rows[1], 4);
        cr_expect_geq(rows[2], 4);
        cr_expect_lt(rows[3], 8);
        cr_expect_geq(rows[4], 8);
        cr_expect_lt(rows[4], 11, "not scored on by both");
    }
}

Test(merge, missing_kinds_of_rows_are_replaced_by_the_others)
{
    fake_pool_add(&fake, "aa000", NULL, NULL, -1, -1);
    fake_pool_add(&fake, "00000", "x", NULL, -1, -1);
    size_t rows[5];
    size_t n = 0;
    struct rng rng;
    rng_init(&rng, 9, "rows", 0);
    cr_assert(
        merge_rows(&fake.trials[0], &fake.trials[1], 5, &rng, rows, &n, &err));
    cr_assert_eq(n, 5);
    for (size_t i = 0; i < 5; i++)
        cr_expect_eq(rows[i], i);
}
