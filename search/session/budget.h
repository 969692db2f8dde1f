// budget: whether the next piece of work may begin, so that max_calls and
// max_tokens are never exceeded.
//
// A piece of work (a trial, or runs) has two needs: `least` is the number of
// calls if every reply can be read, `most` is the number if every step is asked
// a second time. It may begin if its least fits into the budget on top of
// everything that work submitted before it has used.
//
//   most fits            BUDGET_FREE     nothing to watch
//   only the least fits  BUDGET_LIMITED  what is left is its limit: the loop
//                                        begins no item that could exceed it,
//                                        and the work may come back cut short
//   not even that        BUDGET_OVER
//
// Rows on which a trial of the same candidate was scored before need nothing:
// their answers are known, and were counted then.
//
// While earlier work is still under way, it is counted at its most. If the new
// work fits even so, it fits whatever the earlier work turns out to use. If
// not, the answer is BUDGET_WAIT: ask again when some of that work is done, in
// the end with exact figures. So what may begin depends on the answers alone,
// never on which came first: a job ends at the same trial with one worker as
// with sixteen.
//
// Work at the end of a run (the test share) has its calls set aside: the search
// sees a budget that is smaller by them. Pure.

#ifndef SEARCH_SESSION_BUDGET_H
#define SEARCH_SESSION_BUDGET_H

#include <stdbool.h>

#include "search/session/ledger.h"

// In all members 0 means no limit.
struct budget {
    struct use most;
    struct use aside; // subtracted where there is a limit
};

struct budget_need {
    struct use least; // its tokens are unknown beforehand and not read
    struct use most;
};

enum budget_answer {
    BUDGET_FREE,
    BUDGET_LIMITED,
    BUDGET_WAIT,
    BUDGET_OVER,
};

// Decides whether work with this need may begin. `used` is the use of all work
// that is accounted for. `under_way` is the most that work begun since then may
// use; zero if there is none. Fills *limit for BUDGET_LIMITED (INT64_MAX where
// there is no limit).
enum budget_answer budget_ask(const struct budget *budget,
                              const struct use *used,
                              const struct use *under_way,
                              const struct budget_need *need,
                              struct use *limit);

#endif
