// account: what a job has used of its budget, what its work under way may still
// use, and what is reserved for later.
//
//   account_ask --> account_begin --> account_settle
//   may it begin?   reserves its most   records its real use, each call once
//
// Work is settled in the order in which it was submitted, so what a job has
// used at any point does not depend on which answer came first. Two things are
// withheld from the search: the calls for the test share at the end of the run,
// and room for what an optimizer still wants to do at its own end. Where a
// budget has no limit (0), nothing is withheld. Pure.

#ifndef SEARCH_SESSION_ACCOUNT_H
#define SEARCH_SESSION_ACCOUNT_H

#include <stddef.h>

#include "common/err.h"
#include "search/session/budget.h"
#include "search/session/ledger.h"

struct account {
    struct budget budget;
    struct ledger ledger;
    struct use under_way; // upper bound for work that has begun and is not
                          // settled
    struct use for_test;  // the part of budget.aside that is for the test share
    struct use kept_back; // the rest of budget.aside
};

// A figure of 0 in `most` means no limit.
void account_init(struct account *account, struct use most);
void account_release(struct account *account);

// Returns what all settled work has used, and what may be used in all.
struct use account_used(const struct account *account);
struct use account_most(const struct account *account);

// Returns whether work with this need may begin now (budget.h). Fills *limit
// for BUDGET_LIMITED.
enum budget_answer account_ask(const struct account *account,
                               const struct budget_need *need,
                               struct use *limit);

// Fills err with the reason why the work called `name` may not begin.
void account_explain(const struct account *account,
                     const struct budget_need *need, const char *name,
                     struct err *err);

// Records that work begins that may use at most `most`.
void account_begin(struct account *account, struct use most);

// Records that work has ended and used these calls. *fresh is the part of them
// that no earlier work had used. Returns false when out of memory.
bool account_settle(struct account *account, struct use most,
                    const struct used_call *calls, size_t n, struct use *fresh,
                    struct err *err);

// Sets `use` aside for the test share; zero releases it. If that would leave
// nothing for the search, nothing is set aside: the test share could not be
// scored anyway.
void account_reserve_for_test(struct account *account, struct use use);

// Reserves room for this many more calls, with the tokens that they will
// probably take, but no more than `share` (0 to 1) of what is left. 0 calls
// release the reserve.
void account_reserve(struct account *account, int64_t calls, double share);

#endif
