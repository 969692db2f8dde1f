// evaluation_calls: the calls that an item used, in an order of their own.
//
// They stand in the order of what asked for them: step by step as the program
// runs, the attempts of a step one after the other, and then the metric. Which
// answer came first makes no difference, so what is shown of an item is the
// same on one machine as on sixteen.

#ifndef COORDINATOR_EVALUATION_CALLS_H
#define COORDINATOR_EVALUATION_CALLS_H

#include "coordinator/evaluation_state.h"
#include "store/calls.h"

// Notes that the item used that call, for that asker and part of it.
bool evaluation_remember(struct evaluation *evaluation, enum asker asker,
                         int part, const struct call_ref *ref, struct err *err);

// The run has ended. If a step failed, its last call is moved to the end, since
// that is the one that is shown, and what ran beside it says nothing of the
// fault. Returns its id; 0 if none failed, or if its prompt was too long to be
// sent.
int64_t evaluation_calls_end(struct evaluation *evaluation);

void evaluation_calls_release(struct evaluation *evaluation);

#endif
