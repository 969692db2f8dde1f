// evaluation_result: what an item comes to: its score, and what the session,
// the history and the job's memory keep of it once it is finished.

#ifndef COORDINATOR_EVALUATION_RESULT_H
#define COORDINATOR_EVALUATION_RESULT_H

#include "coordinator/evaluation_state.h"

// The row's fields, read when they are first needed. Borrowed; NULL without
// memory.
const json_t *evaluation_example(struct evaluation *evaluation,
                                 struct err *err);

// The three ends of an item that was run. Each puts it into the history if its
// task is kept, and lets go of task and item (evaluation.h).

// All outputs and all answers for the metric are there: scores them.
bool evaluation_judge(struct evaluation *evaluation, struct err *err);

// A model fault: the score is 0, and the feedback says what was wrong.
bool evaluation_score_fault(struct evaluation *evaluation, struct err *err);

// It was only run, not scored.
bool evaluation_finish(struct evaluation *evaluation, struct err *err);

// Lets go of task and item, which ended in that state. Nothing is put into the
// history.
void evaluation_detach(struct evaluation *evaluation, enum item_state state);

// Frees what the evaluation has of its item.
void evaluation_release_item(struct evaluation *evaluation);

#endif
