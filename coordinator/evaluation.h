// evaluation: one item of a task in progress: steps, calls, metric, end.
//
//             every ask is in the store
//            +---------------------------+
//            v                           |
//   start -> STEPPING --ask--> FLYING --durable answer--> STEPPING
//               | the run ended
//               v
//            JUDGING (metrics that ask outside) --answers--> FINISHED
//                  | an answer cannot be read: it is asked again as another
//                  | replicate; after METRIC_TRIES the item is unjudged
//
// Answers come from the store at once, or from a flight, which other
// evaluations may share. Steps and metrics ask in the same way, and an answer
// goes back to the one that asked (enum asker).
//
// An item that is a text to be embedded has no steps: its one answer makes it
// FINISHED.
//
// Lifetime. The task and the item are the evaluation's until the item is
// finished. Then the evaluation lets go of them (task == NULL), since the
// session may free them at once. The evaluation itself lives on while it waits
// for a flight. When a row is excluded halfway, calls of other branches are
// still in flight. Their answers land here, are paid for and forgotten, so that
// what a job pays depends on the answers alone. The evaluation is freed
//
//   when it is finished and waits for no flight   in the call that finished it
//   when the job leaves                           in evaluation_drop, after its
//                                                 waits were removed
//
// so do not keep a pointer to it across evaluation_feed, evaluation_end_as_hole
// or evaluation_end_unpaid. Call only from the loop's thread.

#ifndef COORDINATOR_EVALUATION_H
#define COORDINATOR_EVALUATION_H

#include <stdbool.h>
#include <stddef.h>

#include "coordinator/engine.h"
#include "search/session/task.h"

// Begins the item at index `at` of the task and takes it as far as the store's
// answers reach. Returns false if the job cannot continue (out of memory, a
// broken store).
bool evaluation_start(struct job_work *work, struct task *task, size_t at,
                      struct err *err);

// Hands over the durable answer of a flight that `waiter` was waiting for.
bool evaluation_feed(const struct waiter *waiter, const struct flight *flight,
                     struct err *err);

// Call when a flight that the evaluation waited for cannot be served: the item
// becomes a hole.
void evaluation_end_as_hole(struct evaluation *evaluation);

// Call when a flight that the evaluation waited for was given up because the
// job's time is over.
void evaluation_end_unpaid(struct evaluation *evaluation);

// Frees the evaluation without a result. Its waits must have been removed.
void evaluation_drop(struct evaluation *evaluation);

struct job_work *evaluation_work(const struct evaluation *evaluation);
// Returns the item, or NULL once it is finished.
const struct task_item *evaluation_item(const struct evaluation *evaluation);

#endif
