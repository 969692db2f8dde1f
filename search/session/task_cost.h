// task_cost: what one item of a task costs, as far as that can be told before
// it is begun.
//
// The budget (budget.h) needs two figures: the calls that are made when every
// reply can be read, and what the item can come to when none can. Both follow
// from the task alone: from its program and plan, from what its candidate
// searches by, and from the job's metric and models. Pure.

#ifndef SEARCH_SESSION_TASK_COST_H
#define SEARCH_SESSION_TASK_COST_H

#include <stdint.h>

#include "search/session/ledger.h"
#include "search/session/task.h"

// The calls of an item when every reply can be read; embeddings of what its
// steps search for are not counted, since most of them are there.
int64_t task_cost_least(const struct job *job, const struct task *task);

// The most that an item can come to: every step is asked a second time, and a
// judge as often as it may be, with prompts as long as the context and replies
// as long as they may be.
struct use task_cost_most(const struct job *job, const struct task *task);

#endif
