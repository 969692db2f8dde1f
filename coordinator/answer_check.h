// answer_check: what of a worker's answer is taken.
//
// An answer is kept for good, and used by every later run, so it is looked at
// before anybody has it: a worker that lies could fill the disk, and one vector
// of another size would spoil an index. Pure.

#ifndef COORDINATOR_ANSWER_CHECK_H
#define COORDINATOR_ANSWER_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/call.h"
#include "common/err.h"

// No model writes very much for few tokens: what is beyond is cut off, as a
// server that minds num_predict would have done. So are log-probabilities that
// nobody asked for.
void answer_bound(const struct call_options *asked, struct call_answer *answer);

// Whether an answer is a vector of that size, or says that the text is too
// long. *size is 0 before the first of a model, which sets it. False: err says
// what it is instead.
bool answer_is_embedding(const struct call_answer *answer, size_t *size,
                         struct err *err);

#endif
