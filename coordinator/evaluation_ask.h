// evaluation_ask: from a question to its answer.
//
// Every question takes the same path, whoever asks and whoever answers:
//
//   an answer follows from the question alone     it is taken at once
//   the same question is already in flight        the flight is joined
//   its answer is in the store                    it is loaded and taken
//   the item may not be paid for any more         the item ends without it
//   otherwise                                     a new flight begins
//
// An answer that is available is handed to evaluation->take before the function
// returns; the others arrive through evaluation_feed.

#ifndef COORDINATOR_EVALUATION_ASK_H
#define COORDINATOR_EVALUATION_ASK_H

#include "coordinator/evaluation_state.h"

// The caller fills order->ask and order->bill; the rest is filled here. The
// item may be finished when this returns (evaluation->task == NULL).
bool evaluation_ask(struct evaluation *evaluation, enum asker asker,
                    struct order *order, struct err *err);

#endif
