// check_asks: what a program asks about one example, as far as the job's inputs
// decide it.
//
// Whatever depends on a model's answer stays open.

#ifndef CLI_CHECK_ASKS_H
#define CLI_CHECK_ASKS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/jobfile.h"
#include "program/graph/ask.h"

struct stepper;

// Answers an ask by calling check_asks_answer. Returns false to end the walk.
typedef bool check_asks_fn(void *user, struct stepper *stepper,
                           const struct ask *ask);

// Walks through the program with the inputs of a row, and calls `answer` for
// everything that is asked of `answerer`. Everything else stays open. Needs the
// job, its examples and its plan.
void check_asks(const struct jobfile *file, size_t row,
                enum answerer_id answerer, check_asks_fn *answer, void *user);

// Gives the step that asked its answer: len bytes of text, which the caller
// keeps. Returns false if the step does not accept them.
bool check_asks_answer(struct stepper *stepper, const struct ask *ask,
                       char *text, size_t len);

#endif
