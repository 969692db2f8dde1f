// evaluation_questions: what an evaluation asks, and of whom.
//
// Each function makes the order of one question (its prompt, who answers, who
// pays) and gives it to evaluation_ask. An answer that is stored comes back
// before the function returns, so the evaluation may have advanced, or its item
// may be finished: then its `task` is NULL.

#ifndef COORDINATOR_EVALUATION_QUESTIONS_H
#define COORDINATOR_EVALUATION_QUESTIONS_H

#include "coordinator/evaluation_state.h"

// Asks what a step wants. If the step picks its demos by embeddings, the
// embedding of its question is asked for first.
bool evaluation_ask_step(struct evaluation *ev, const struct ask *wanted,
                         struct err *err);

// Asks the model of a step. `near` is the embedding of the question if its
// demos are picked by that and it has words, else NULL; borrowed.
bool evaluation_ask_model(struct evaluation *ev, const struct ask *wanted,
                          const struct direction *near, struct err *err);

// Asks for the embedding of an item that is a text.
bool evaluation_ask_text(struct evaluation *ev, struct err *err);

// Asks what that part of the metric needs to know from outside.
bool evaluation_ask_metric(struct evaluation *ev, size_t part, struct err *err);

#endif
