// account: what a job has used of its budget, what its work under way may still
// use, and what is kept for later.
//
//   account_ask --> account_begin --> account_settle
//   may it?         at most so much   that is what it was, each call once
//
// Work is settled in the order in which it was submitted, so what a job has
// used at any point does not depend on which answer came first. Two things are
// kept back from the search: the calls of the test share at the end of the run,
// and room for what an optimizer still wants to do at its own end. Where a
// budget has no limit (0) nothing is kept. Pure.

#ifndef SEARCH_SESSION_ACCOUNT_H
#define SEARCH_SESSION_ACCOUNT_H

#include <stddef.h>

#include "common/err.h"
#include "search/session/budget.h"
#include "search/session/ledger.h"

struct account {
    struct budget budget;
    struct ledger ledger;
    struct use under_way; // at most, by what began and is not settled
    struct use for_test;  // of what the budget sets aside
    struct use kept_back; // the rest of it
};

// In most 0 stands for no limit.
void account_init(struct account *account, struct use most);
void account_release(struct account *account);

// What all settled work has used, and what may be used in all.
struct use account_used(const struct account *account);
struct use account_most(const struct account *account);

// Whether work with that need may begin now (budget.h); *limit is filled for
// BUDGET_LIMITED.
enum budget_answer account_ask(const struct account *account,
                               const struct budget_need *need,
                               struct use *limit);

// Fills err with the reason why it may not begin. name is that of the work.
void account_explain(const struct account *account,
                     const struct budget_need *need, const char *name,
                     struct err *err);

// Work begins, and may use so much at most.
void account_begin(struct account *account, struct use most);

// Work has ended, and used those calls. *fresh is the part of them that no
// earlier work had used. False without memory.
bool account_settle(struct account *account, struct use most,
                    const struct used_call *calls, size_t n, struct use *fresh,
                    struct err *err);

// Sets so much aside for the test share; zero releases it. If that would leave
// nothing for the search, nothing is set aside: the test share could not be
// scored in any case.
void account_set_aside(struct account *account, struct use use);

// Keeps room for so many more calls, with the tokens that they are likely to
// take, but no more than this share of what is left (0 to 1). 0 calls release
// it.
void account_keep_back(struct account *account, int64_t calls, double share);

#endif
