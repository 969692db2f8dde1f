// evaluation_answers: what an evaluation does with the answer to a question.
//
// The counterpart of evaluation_questions.h: one function for each kind of
// asker. An answer may lead to the next question of the same asker.

#ifndef COORDINATOR_EVALUATION_ANSWERS_H
#define COORDINATOR_EVALUATION_ANSWERS_H

#include "coordinator/evaluation_state.h"

// Hands an answer to whatever asked for it; borrowed. The item may be finished
// when this returns (evaluation->task == NULL).
bool evaluation_take(struct evaluation *evaluation, enum asker asker, int part,
                     const struct call_answer *answer, struct err *err);

#endif
