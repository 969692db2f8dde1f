// task_cost: what one item of a task costs, as far as that is known before it
// begins.
//
// The budget (budget.h) needs two figures: the number of calls if every reply
// can be read, and the most that the item can use if none can. Both follow from
// the task alone: from its program and plan, from what its candidate searches
// by, and from the job's metric and models. Pure.

#ifndef SEARCH_SESSION_TASK_COST_H
#define SEARCH_SESSION_TASK_COST_H

#include <stdint.h>

#include "search/session/ledger.h"
#include "search/session/task.h"

// Returns the calls of an item if every reply can be read. Embeddings of the
// queries of its steps are not counted, since most of them are already stored.
int64_t task_cost_least(const struct job *job, const struct task *task);

// Returns the most that an item can use: every step is asked a second time, and
// the judge as often as allowed, with prompts as long as the context and
// replies as long as permitted.
struct use task_cost_most(const struct job *job, const struct task *task);

#endif
