// evaluation_calls: the calls that an item used, in a fixed order.
//
// They are ordered by what asked for them: step by step as the program runs,
// the attempts of a step one after the other, and then the metric. It does not
// matter which answer came first, so an item looks the same whether one machine
// worked on it or sixteen.

#ifndef COORDINATOR_EVALUATION_CALLS_H
#define COORDINATOR_EVALUATION_CALLS_H

#include "coordinator/evaluation_state.h"
#include "store/calls.h"

// Notes that the item used the call, for that asker and part.
bool evaluation_remember(struct evaluation *evaluation, enum asker asker,
                         int part, const struct call_ref *ref, struct err *err);

// Call when the run has ended. If a step failed, moves its last call to the
// end, since that is the call that is shown; what ran in parallel says nothing
// about the fault. Returns the id of that call; 0 if no step failed, or if its
// prompt was too long to be sent.
int64_t evaluation_calls_end(struct evaluation *evaluation);

void evaluation_calls_release(struct evaluation *evaluation);

#endif
