// check_asks: what a program asks about one example, as far as that follows
// from the inputs of the job.
//
// What a model would answer stays open, and so does what hangs on it.

#ifndef CLI_CHECK_ASKS_H
#define CLI_CHECK_ASKS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/jobfile.h"
#include "program/graph/ask.h"

struct stepper;

// Answers an ask by check_asks_answer. False ends the walk.
typedef bool check_asks_fn(void *user, struct stepper *stepper,
                           const struct ask *ask);

// Walks through the program with the inputs of a row, and has answer called for
// whatever is asked of answerer; all else stays open. Needs the job, its
// examples and its plan.
void check_asks(const struct jobfile *file, size_t row,
                enum answerer_id answerer, check_asks_fn *answer, void *user);

// Gives the step that asked its answer, len bytes of text, which stay the
// caller's. False: it does not take them.
bool check_asks_answer(struct stepper *stepper, const struct ask *ask,
                       char *text, size_t len);

#endif
