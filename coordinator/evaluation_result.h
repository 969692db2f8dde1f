// evaluation_result: the outcome of an item: its score, and what the session,
// the history and the job's memory keep of it once it is finished.

#ifndef COORDINATOR_EVALUATION_RESULT_H
#define COORDINATOR_EVALUATION_RESULT_H

#include "coordinator/evaluation_state.h"

// Returns the row's fields, which are read on first use. Borrowed; NULL when
// out of memory.
const json_t *evaluation_example(struct evaluation *evaluation,
                                 struct err *err);

// The three ways in which an item that was run can end. Each puts it into the
// history if its task is kept, and lets go of task and item (evaluation.h).

// Scores the item. All outputs, and all answers for the metric, must be there.
bool evaluation_judge(struct evaluation *evaluation, struct err *err);

// Ends the item with a model fault: the score is 0, and the feedback says what
// was wrong.
bool evaluation_score_fault(struct evaluation *evaluation, struct err *err);

// Ends an item that was only run, not scored.
bool evaluation_finish(struct evaluation *evaluation, struct err *err);

// Lets go of task and item, which ended in that state. Puts nothing into the
// history.
void evaluation_detach(struct evaluation *evaluation, enum item_state state);

// Frees what the evaluation holds for its item.
void evaluation_release_item(struct evaluation *evaluation);

#endif
