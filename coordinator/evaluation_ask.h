// evaluation_ask: from a question to its answer.
//
// There is one way for whoever asks and whoever answers:
//
//   an answer follows from the question alone     it is taken at once
//   the same question is in flight already        the flight is joined
//   its answer is in the store                    it is loaded and taken
//   the item may not be paid for any more         the item ends without it
//   else                                          a new flight begins
//
// An answer that is there is handed to evaluation->take before the function
// returns; the others come by evaluation_feed.

#ifndef COORDINATOR_EVALUATION_ASK_H
#define COORDINATOR_EVALUATION_ASK_H

#include "coordinator/evaluation_state.h"

// order->ask and what it is billed as are filled; the rest is filled here. The
// item may be finished when this returns (evaluation->task == NULL).
bool evaluation_ask(struct evaluation *evaluation, enum asker asker,
                    struct order *order, struct err *err);

#endif
