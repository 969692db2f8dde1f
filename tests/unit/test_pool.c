#include "search/toolkit/pool.h"

#include <criterion/criterion.h>

#include "fake_pool.h"

static struct err err;
static struct fake_pool fake;

static void start(void)
{
    fake_pool_init(&fake);
}

static void stop(void)
{
    fake_pool_release(&fake);
}

TestSuite(pool, .init = start, .fini = stop);

static void add(const char *scores)
{
    static const char *const texts[] = {"a", "b", "c", "d", "e", "f"};
    fake_pool_add(&fake, scores, texts[fake.pool.n], NULL, -1, -1);
}

static void expect_wins(const size_t *expected)
{
    size_t wins[FAKE_POOL_MOST];

    cr_assert(pool_wins(&fake.pool, wins, &err), "%s", err.text);
    for (size_t i = 0; i < fake.pool.n; i++)
        cr_expect_eq(wins[i], expected[i], "member %zu: %zu", i, wins[i]);
}

Test(pool, single_candidate_leads_every_row)
{
    add("0a0");
    expect_wins((size_t[]){3});
}

// 0 leads rows 0 and 1, 2 leads row 2, 3 leads row 3; 1 leads none.
Test(pool, candidate_that_leads_no_row_is_left_out)
{
    add("aa00");
    add("0900");
    add("00a9");
    add("000a");
    expect_wins((size_t[]){2, 0, 1, 1});
}

// Means 1/2, 1/2, 1/3. Member 2 is checked first: 0 and 1 also lead its rows 0
// and 2, and row 3, where all score 0. It goes. Only 0 leads row 4 and only 1
// leads row 5, so both stay.
Test(pool, candidate_with_the_lowest_mean_is_checked_first)
{
    add("aa00a0");
    add("0aa00a");
    add("a0a000");
    expect_wins((size_t[]){4, 4, 0});
}

Test(pool, candidate_does_not_lead_rows_it_was_not_scored_on)
{
    add("-5");
    add("3-");
    expect_wins((size_t[]){1, 1});
}

Test(pool, graded_scores_are_compared_row_by_row)
{
    add("555");
    add("933");
    add("294");
    // Row 0: member 1; row 1: member 2; row 2: member 0.
    expect_wins((size_t[]){1, 1, 1});
}

Test(pool, earlier_candidate_wins_a_tie_for_the_best_mean)
{
    add("0a0");
    add("aa0");
    add("0aa");
    cr_expect_eq(pool_best(&fake.pool), 1);
}

Test(pool, parents_are_drawn_in_proportion_to_the_rows_they_lead)
{
    size_t drawn[3] = {0};

    add("aaa000");
    add("000a00");
    add("000000");
    // All three lead rows 4 and 5; the third adds nothing.
    expect_wins((size_t[]){5, 3, 0});
    for (uint64_t i = 0; i < 800; i++) {
        struct rng rng;
        size_t picked = 9;
        rng_init(&rng, 9, "parents", i);
        cr_assert(pool_pick(&fake.pool, &rng, &picked, &err));
        cr_assert_lt(picked, 3);
        drawn[picked]++;
    }
    cr_expect_eq(drawn[2], 0);
    cr_expect_gt(drawn[0], 450, "%zu", drawn[0]);
    cr_expect_lt(drawn[0], 550, "%zu", drawn[0]);
}

Test(pool, a_candidate_is_known_by_its_contents)
{
    struct candidate *same = candidate_child(fake.session->baseline, &err);
    struct candidate *other = candidate_child(fake.session->baseline, &err);

    add("a");
    cr_assert(candidate_set_instruction(same, 0, 7, "a", &err));
    cr_assert(candidate_set_instruction(other, 1, 7, "a", &err));
    candidate_seal(same);
    candidate_seal(other);
    cr_expect(pool_has(&fake.pool, same));
    cr_expect_not(pool_has(&fake.pool, other));
    candidate_unref(same);
    candidate_unref(other);
}
