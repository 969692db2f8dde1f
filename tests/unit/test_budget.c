#include "search/session/budget.h"

#include <criterion/criterion.h>

static const struct use none = {0, 0};

static struct budget_need need_of(int64_t least, int64_t most)
{
    return (struct budget_need){.least = {least, 0}, .most = {most, most * 10}};
}

static enum budget_answer ask(int64_t max_calls, int64_t used,
                              int64_t under_way, int64_t least, int64_t most,
                              struct use *limit)
{
    const struct budget budget = {.most = {max_calls, 0}};
    const struct use was = {used, used * 10};
    const struct use open = {under_way, under_way * 10};
    const struct budget_need need = need_of(least, most);

    return budget_ask(&budget, &was, &open, &need, limit);
}

Test(budget, without_a_limit_everything_is_free)
{
    struct use limit;

    cr_expect_eq(ask(0, 1000000, 1000000, 50, 100, &limit), BUDGET_FREE);
}

Test(budget, request_whose_maximum_fits_is_unlimited)
{
    struct use limit;

    cr_expect_eq(ask(200, 60, 40, 50, 100, &limit), BUDGET_FREE);
    cr_expect_eq(ask(199, 60, 40, 50, 100, &limit), BUDGET_WAIT);
}

Test(budget, request_whose_minimum_alone_fits_is_limited_to_the_rest)
{
    struct use limit;

    cr_expect_eq(ask(150, 100, 0, 50, 100, &limit), BUDGET_LIMITED);
    cr_expect_eq(limit.calls, 50);
    cr_expect_eq(limit.tokens, INT64_MAX);
    cr_expect_eq(ask(149, 100, 0, 50, 100, &limit), BUDGET_OVER);
}

// However many calls are still open, the final answer is the one for exact
// figures.
Test(budget, waiting_never_changes_the_final_decision)
{
    for (int64_t used = 0; used <= 120; used++) {
        struct use limit;
        enum budget_answer exact = ask(150, used, 0, 50, 100, &limit);

        for (int64_t open = 1; open <= 60; open++) {
            enum budget_answer early =
                ask(150, used - open, open, 50, 100, &limit);

            cr_expect(early == BUDGET_WAIT || early == exact);
        }
    }
}

Test(budget, amount_set_aside_reduces_the_budget)
{
    const struct budget budget = {.most = {100, 0}, .aside = {30, 5000}};
    const struct budget_need need = need_of(10, 20);
    struct use limit;

    cr_expect_eq(
        budget_ask(&budget, &(struct use){50, 500}, &none, &need, &limit),
        BUDGET_FREE);
    cr_expect_eq(
        budget_ask(&budget, &(struct use){61, 610}, &none, &need, &limit),
        BUDGET_OVER);
}

Test(budget, minimum_tokens_are_estimated_from_past_calls)
{
    const struct budget budget = {.most = {0, 1000}};
    const struct budget_need need = need_of(10, 1000);
    struct use limit;

    cr_expect_eq(
        budget_ask(&budget, &(struct use){10, 400}, &none, &need, &limit),
        BUDGET_LIMITED);
    cr_expect_eq(limit.tokens, 600);
    cr_expect_eq(
        budget_ask(&budget, &(struct use){16, 640}, &none, &need, &limit),
        BUDGET_OVER);
}
