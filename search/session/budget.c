#include "search/session/budget.h"

#include <stdint.h>

// Returns what is left of one figure; INT64_MAX without a limit.
static int64_t rest(int64_t most, int64_t aside, int64_t used)
{
    return most == 0 ? INT64_MAX : most - aside - used;
}

static bool fits(const struct use *need, const struct use *left)
{
    return need->calls <= left->calls && need->tokens <= left->tokens;
}

// Estimates the least tokens of a piece of work from what a call has taken so
// far.
static struct use least_of(const struct budget_need *need,
                           const struct use *used)
{
    struct use least = need->least;

    least.tokens =
        used->calls == 0 ? 1 : used->tokens / used->calls * least.calls;
    return least;
}

enum budget_answer budget_ask(const struct budget *budget,
                              const struct use *used,
                              const struct use *under_way,
                              const struct budget_need *need, struct use *limit)
{
    struct use left = {
        rest(budget->most.calls, budget->aside.calls, used->calls),
        rest(budget->most.tokens, budget->aside.tokens, used->tokens)};
    struct use surely_left = {left.calls - under_way->calls,
                              left.tokens - under_way->tokens};
    struct use least = least_of(need, used);

    if (fits(&need->most, &surely_left))
        return BUDGET_FREE;
    if (under_way->calls > 0)
        return BUDGET_WAIT;
    *limit = left;
    return fits(&least, &left) ? BUDGET_LIMITED : BUDGET_OVER;
}
