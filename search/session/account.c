#include "search/session/account.h"

#include <inttypes.h>

#include "common/text.h"

void account_init(struct account *account, struct use most)
{
    *account = (struct account){.budget.most = most};
}

void account_release(struct account *account)
{
    ledger_release(&account->ledger);
}

struct use account_used(const struct account *account)
{
    return account->ledger.sum;
}

struct use account_most(const struct account *account)
{
    return account->budget.most;
}

enum budget_answer account_ask(const struct account *account,
                               const struct budget_need *need,
                               struct use *limit)
{
    return budget_ask(&account->budget, &account->ledger.sum,
                      &account->under_way, need, limit);
}

void account_explain(const struct account *account,
                     const struct budget_need *need, const char *name,
                     struct err *err)
{
    const struct budget *budget = &account->budget;
    const struct use *used = &account->ledger.sum;
    char kept[80] = "";
    char calls[TEXT_COUNTED_BYTES];

    if (budget->aside.calls > 0)
        text_print(kept, sizeof kept, ", %" PRId64 " are kept for the %s",
                   budget->aside.calls,
                   account->kept_back.calls == 0 ? "test share"
                                                 : "end of the search");
    if (budget->most.calls > 0 &&
        used->calls + need->least.calls + budget->aside.calls >
            budget->most.calls)
        err_set(err, ERR_BUDGET,
                "the budget is %s; %" PRId64 " are used%s, and %s needs at "
                "least %" PRId64,
                text_counted(calls, budget->most.calls, "call"), used->calls,
                kept, name, need->least.calls);
    else
        err_set(err, ERR_BUDGET,
                "the budget is %" PRId64 " tokens; %" PRId64 " are used, and "
                "what is left may not be enough for %s",
                budget->most.tokens, used->tokens, name);
}

void account_begin(struct account *account, struct use most)
{
    account->under_way.calls += most.calls;
    account->under_way.tokens += most.tokens;
}

bool account_settle(struct account *account, struct use most,
                    const struct used_call *calls, size_t n, struct use *fresh,
                    struct err *err)
{
    struct use before = account->ledger.sum;

    if (!ledger_use(&account->ledger, calls, n, err))
        return false;
    account->under_way.calls -= most.calls;
    account->under_way.tokens -= most.tokens;
    *fresh = (struct use){account->ledger.sum.calls - before.calls,
                          account->ledger.sum.tokens - before.tokens};
    return true;
}

static void put_aside(struct account *account, struct use for_test,
                      struct use kept_back)
{
    account->for_test = for_test;
    account->kept_back = kept_back;
    account->budget.aside = (struct use){for_test.calls + kept_back.calls,
                                         for_test.tokens + kept_back.tokens};
}

void account_reserve_for_test(struct account *account, struct use use)
{
    const struct use *most = &account->budget.most;
    const struct use *used = &account->ledger.sum;
    bool fits = (most->calls == 0 || used->calls + use.calls < most->calls) &&
                (most->tokens == 0 || used->tokens + use.tokens < most->tokens);

    put_aside(account, fits ? use : (struct use){0}, account->kept_back);
}

// Returns this share of what is left of a figure; 0 if it has no limit.
static int64_t part_left(int64_t most, int64_t for_test, int64_t used,
                         double share)
{
    int64_t left = most - for_test - used;

    return most > 0 && left > 0 ? (int64_t)(share * (double)left) : 0;
}

// Prompts with demos are longer than those before them, so twice the tokens are
// reserved.
void account_reserve(struct account *account, int64_t calls, double share)
{
    const struct use *most = &account->budget.most;
    const struct use *used = &account->ledger.sum;
    struct use want = {
        calls, used->calls == 0 ? 0 : 2 * used->tokens / used->calls * calls};
    struct use part = {
        part_left(most->calls, account->for_test.calls, used->calls, share),
        part_left(most->tokens, account->for_test.tokens, used->tokens, share)};

    put_aside(account, account->for_test, use_smaller(want, part));
}
