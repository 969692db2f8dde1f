// budget: whether the next piece of work may begin, so that max_calls and
// max_tokens are never passed.
//
// A piece of work (a trial, or runs) needs at the least so many calls, when
// every reply can be read, and at the most so many, when every step is asked a
// second time. It begins when two things fit together into the budget: what
// all work submitted before it has used, and the least that it needs.
//
//   most fits            BUDGET_FREE     nothing to watch
//   only the least fits  BUDGET_LIMITED  what is left is its limit: the loop
//                                        begins no item that could pass it, and
//                                        the work may come back cut short
//   not even that        BUDGET_OVER
//
// Rows on which a trial of the same candidate was scored before need nothing:
// their answers are there, and were counted then.
//
// While earlier work is still under way it is counted at its most. If the new
// work fits all the same, it fits whatever the earlier work comes to. If not,
// the answer is BUDGET_WAIT: ask again when some of it is done, in the end with
// exact figures. So what begins depends on the answers alone, never on which
// came first: one worker and sixteen end at the same trial.
//
// Work done at the end of a run (the test share) has its calls set aside: the
// search sees a budget that is smaller by them. Pure.

#ifndef SEARCH_SESSION_BUDGET_H
#define SEARCH_SESSION_BUDGET_H

#include <stdbool.h>

#include "search/session/ledger.h"

// In all members 0 stands for no limit.
struct budget {
    struct use most;
    struct use aside; // taken off, where there is a limit
};

struct budget_need {
    struct use least; // its tokens are not known beforehand, and not read
    struct use most;
};

enum budget_answer {
    BUDGET_FREE,
    BUDGET_LIMITED,
    BUDGET_WAIT,
    BUDGET_OVER,
};

// used: by all work that is accounted for. under_way: what the work between
// that and this may use at most; zero when there is none. *limit is filled for
// BUDGET_LIMITED (INT64_MAX where there is no limit).
enum budget_answer budget_ask(const struct budget *budget,
                              const struct use *used,
                              const struct use *under_way,
                              const struct budget_need *need,
                              struct use *limit);

#endif
