// evaluation: one item of a task on its way: steps, calls, metric, end.
//
//             every ask is in the store
//            +---------------------------+
//            v                           |
//   start -> STEPPING --ask--> FLYING --durable answer--> STEPPING
//               | the run ended
//               v
//            JUDGING (exec metrics only) --answers--> FINISHED
//
// Answers come from the store at once, or from a flight, which may be shared
// with other evaluations. A run may end while a flight of another branch is
// still out: the item is finished then, the evaluation stays until the flight
// has landed, so that what is paid for is a function of the answers alone.
// Belongs to the coordinator's loop.

#ifndef COORDINATOR_EVALUATION_H
#define COORDINATOR_EVALUATION_H

#include <stdbool.h>
#include <stddef.h>

#include "coordinator/flight.h"
#include "coordinator/running_job.h"
#include "search/session/task.h"

// Begins the item and takes it as far as the store goes. False: the running job
// cannot go on (no memory, a broken store).
bool evaluation_start(struct running_job *running, struct task *task,
                      struct task_item *item, struct err *err);

// A durable flight that it waited for.
bool evaluation_feed(struct evaluation *evaluation, int step,
                     const struct flight *flight, struct err *err);

// A flight that it waited for cannot be served: the item is a hole.
void evaluation_hole(struct evaluation *evaluation);

// Frees it without a result (the running job stops); its waits are gone
// already.
void evaluation_drop(struct evaluation *evaluation);

const struct running_job *evaluation_job(const struct evaluation *evaluation);
const struct task_item *evaluation_item(const struct evaluation *evaluation);

#endif
