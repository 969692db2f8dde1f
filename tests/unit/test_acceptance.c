#include "search/optimizers/gepa/acceptance.h"

#include <string.h>

#include <criterion/criterion.h>

enum { ROWS = 16 };

// The scores of a child and its parent on the same rows, in tenths with one
// digit per row ("0a-": a is 10 tenths, "-" means not scored).
struct sides {
    struct task_item items[ROWS];
    struct runs parent;
    bool scored[ROWS];
    double scores[ROWS];
    size_t rows[ROWS];
    struct trial child;
};

static struct err err;

static double tenths(char score)
{
    return score == 'a' ? 1 : (score - '0') / 10.0;
}

static void fill_trial(struct sides *sides, const char *scores)
{
    struct trial *trial = &sides->child;
    double sum = 0;

    *trial = (struct trial){.n_rows = strlen(scores),
                            .rows = sides->rows,
                            .scored = sides->scored,
                            .scores = sides->scores};
    for (size_t i = 0; i < trial->n_rows; i++) {
        sides->rows[i] = 10 + i;
        sides->scored[i] = scores[i] != '-';
        sides->scores[i] = sides->scored[i] ? tenths(scores[i]) : 0;
        sum += sides->scores[i];
        trial->n += sides->scored[i];
    }
    trial->score = trial->n > 0 ? sum / (double)trial->n : 0;
}

static void fill(struct sides *sides, const char *parent, const char *child)
{
    fill_trial(sides, child);
    sides->parent = (struct runs){.items = sides->items, .n = strlen(parent)};
    for (size_t i = 0; i < sides->parent.n; i++)
        sides->items[i] = (struct task_item){
            .scored = parent[i] != '-',
            .score = parent[i] != '-' ? tenths(parent[i]) : 0};
}

static struct acceptance weigh(const char *parent, const char *child)
{
    static struct sides sides;
    struct acceptance out = {0};

    fill(&sides, parent, child);
    const struct acceptance_rows rows = {&sides.parent, &sides.child};
    cr_assert(acceptance_weigh(&rows, 1, 7, &out, &err), "%s", err.text);
    return out;
}

Test(acceptance, a_gain_on_three_rows_is_not_clear)
{
    struct acceptance out = weigh("000", "aaa");

    cr_expect(out.better);
    cr_expect_not(out.clear);
}

Test(acceptance, a_gain_on_eight_rows_is_clear)
{
    struct acceptance out = weigh("00000000", "aaaaaaaa");

    cr_expect(out.better);
    cr_expect(out.clear);
}

Test(acceptance, a_clear_loss_is_neither_better_nor_clear)
{
    struct acceptance out = weigh("aaaaaaaa", "00000000");

    cr_expect_not(out.better);
    cr_expect_not(out.clear);
}

Test(acceptance, an_equal_score_is_not_better)
{
    cr_expect_not(weigh("0a5", "50a").better);
}

Test(acceptance, only_rows_scored_by_both_candidates_count)
{
    cr_expect(weigh("a-0", "-00").better == false);
    cr_expect(weigh("a0-", "-5a").better);
    cr_expect_not(weigh("a-", "-a").better, "no such row");
}

Test(acceptance, several_lists_of_rows_are_combined)
{
    static struct sides few, more;
    struct acceptance out = {0};

    fill(&few, "000", "aaa");
    fill(&more, "aaaa", "0000");
    const struct acceptance_rows rows[] = {{&few.parent, &few.child},
                                           {&more.parent, &more.child}};
    cr_assert(acceptance_weigh(rows, 2, 7, &out, &err), "%s", err.text);
    cr_expect_not(out.better);
}

Test(acceptance, merged_child_may_equal_the_better_parent)
{
    static struct sides a, b, child;

    fill_trial(&a, "a00a0");
    fill_trial(&b, "0a0a0");
    fill_trial(&child, "aa000");
    cr_expect(acceptance_of_merged(&child.child, &a.child, &b.child));
    fill_trial(&b, "0a0aa");
    cr_expect_not(acceptance_of_merged(&child.child, &a.child, &b.child));
}

Test(acceptance, parents_are_compared_only_on_rows_the_child_was_scored_on)
{
    static struct sides a, b, child;

    fill_trial(&a, "aaaaa");
    fill_trial(&b, "00000");
    fill_trial(&child, "a-");
    cr_expect(acceptance_of_merged(&child.child, &a.child, &b.child));
}
