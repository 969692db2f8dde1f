// evaluation: one item of a task on its way: steps, calls, metric, end.
//
//             every ask is in the store
//            +---------------------------+
//            v                           |
//   start -> STEPPING --ask--> FLYING --durable answer--> STEPPING
//               | the run ended
//               v
//            JUDGING (metrics that ask outside) --answers--> FINISHED
//                  | an answer cannot be read: asked again, as another
//                  | replicate; after METRIC_TRIES the item is unjudged
//
// Answers come from the store at once, or from a flight, which may be shared
// with other evaluations. Steps and metric ask in the same way; an answer goes
// back to the one that asked (enum asker).
//
// An item that is a text to be embedded has no steps: it asks, and is FINISHED
// by the answer.
//
// Lifetime. The task and the item are the evaluation's until the item is
// finished: then it lets go of them (task == NULL), since the session may free
// them at once. The evaluation itself stays while it waits for a flight. When a
// row is excluded in mid run, calls of other branches are under way: their
// answers still land here, and are paid for and forgotten, so that what a job
// pays depends on the answers alone. It ends
//
//   when it is finished and waits for no flight   by itself, in the call that
//                                                 finished it
//   when the job leaves                           in evaluation_drop, after its
//                                                 waits were removed
//
// so nobody may keep a pointer to it across evaluation_feed or _hole.
// Belongs to the coordinator's loop.

#ifndef COORDINATOR_EVALUATION_H
#define COORDINATOR_EVALUATION_H

#include <stdbool.h>
#include <stddef.h>

#include "coordinator/engine.h"
#include "search/session/task.h"

// Begins the item at that place of the task and takes it as far as the store
// goes. False: the job cannot go on (no memory, a broken store).
bool evaluation_start(struct job_work *work, struct task *task, size_t at,
                      struct err *err);

// Gives it the durable answer of a flight that it waited for, as `waiter` says.
bool evaluation_feed(const struct waiter *waiter, const struct flight *flight,
                     struct err *err);

// A flight that it waited for cannot be served: the item is a hole.
void evaluation_hole(struct evaluation *evaluation);

// A flight that it waited for was given up, since the time of the job is over.
void evaluation_unpaid(struct evaluation *evaluation);

// Frees it without a result; its waits are gone already.
void evaluation_drop(struct evaluation *evaluation);

struct job_work *evaluation_work(const struct evaluation *evaluation);
const struct task_item *evaluation_item(const struct evaluation *evaluation);

#endif
