// answer_check: how much of a worker's answer is accepted.
//
// An answer is kept for good and used by every later run, so it is checked
// before anything is done with it: a lying worker could fill the disk, and a
// single vector of the wrong size would spoil an index. Pure.

#ifndef COORDINATOR_ANSWER_CHECK_H
#define COORDINATOR_ANSWER_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/call.h"
#include "common/err.h"

// Truncates a text that is much longer than num_predict tokens can be, as a
// server that respects num_predict would have done. Removes log-probabilities
// that nobody asked for.
void answer_bound(const struct call_options *asked, struct call_answer *answer);

// Returns true if the answer is a vector of *size numbers, or says that the
// text is too long. *size is 0 until the first answer of a model sets it. On
// false, err says what the answer is instead.
bool answer_is_embedding(const struct call_answer *answer, size_t *size,
                         struct err *err);

#endif
