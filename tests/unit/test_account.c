#include "search/session/account.h"

#include <criterion/criterion.h>

static struct account account;
static struct err err;

static void open_account(int64_t calls, int64_t tokens)
{
    err = ERR_CLEAR;
    account_init(&account, (struct use){calls, tokens});
}

static void tear_down(void)
{
    account_release(&account);
}

TestSuite(account, .fini = tear_down);

static enum budget_answer ask(int64_t least, int64_t most)
{
    const struct budget_need need = {.least.calls = least, .most.calls = most};
    struct use limit;

    return account_ask(&account, &need, &limit);
}

// Returns work that may use `most` calls and has used those with the ids 1 to
// n.
static struct use work(int64_t most, size_t n)
{
    struct used_call calls[100];
    struct use fresh;

    cr_assert_leq(n, 100);
    for (size_t i = 0; i < n; i++)
        calls[i] = (struct used_call){.id = (int64_t)i + 1, .tokens = 10};
    account_begin(&account, (struct use){.calls = most});
    cr_assert(account_settle(&account, (struct use){.calls = most}, calls, n,
                             &fresh, &err),
              "%s", err.text);
    return fresh;
}

Test(account, call_is_charged_to_its_first_user)
{
    open_account(100, 0);
    cr_expect_eq(work(10, 6).calls, 6);
    cr_expect_eq(work(10, 8).calls, 2);
    cr_expect_eq(account_used(&account).calls, 8);
    cr_expect_eq(account_used(&account).tokens, 80);
}

Test(account, work_in_progress_counts_at_its_maximum)
{
    open_account(100, 0);
    account_begin(&account, (struct use){.calls = 60});
    cr_expect_eq(ask(40, 40), BUDGET_FREE);
    cr_expect_eq(ask(41, 41), BUDGET_WAIT);
}

Test(account, search_cannot_use_what_is_set_aside_for_the_test_share)
{
    const struct budget_need need = {.least.calls = 71, .most.calls = 71};

    open_account(100, 0);
    account_reserve_for_test(&account, (struct use){.calls = 30});
    cr_expect_eq(ask(70, 70), BUDGET_FREE);
    cr_expect_eq(ask(71, 71), BUDGET_OVER);
    account_explain(&account, &need, "trial 3", &err);
    cr_expect_eq(err.code, ERR_BUDGET);
    cr_expect_str_eq(err.text,
                     "the budget is 100 calls; 0 are used, 30 are kept for "
                     "the test share, and trial 3 needs at least 71");
}

Test(account, nothing_is_set_aside_if_it_would_take_the_whole_budget)
{
    open_account(100, 0);
    account_reserve_for_test(&account, (struct use){.calls = 100});
    cr_expect_eq(ask(100, 100), BUDGET_FREE);
}

Test(account, all_of_the_remainder_can_be_kept_back_at_share_1)
{
    open_account(100, 0);
    work(20, 20);
    account_reserve(&account, 60, 1);
    cr_expect_eq(ask(20, 20), BUDGET_FREE);
    cr_expect_eq(ask(21, 21), BUDGET_OVER);
    account_reserve(&account, 1000, 1);
    cr_expect_eq(ask(1, 1), BUDGET_OVER);
}

Test(account, at_most_half_of_the_remainder_is_kept_back)
{
    open_account(100, 0);
    work(20, 20);
    account_reserve(&account, 1000, 0.5);
    cr_expect_eq(ask(40, 40), BUDGET_FREE);
    cr_expect_eq(ask(41, 41), BUDGET_OVER);
    account_reserve(&account, 0, 0);
    cr_expect_eq(ask(80, 80), BUDGET_FREE);
}
