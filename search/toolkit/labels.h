// labels: labelled examples as demos of single steps.
//
// An example is a demo of a step only if every input and every output of the
// step is known for it. The teacher is asked once for what the example does not
// say. It sees the step's inputs and the known outputs, so the fields it fills
// in (a confidence, the reasoning before a label) agree with the label instead
// of guessing at it. A label always wins. A demo needs at least one output that
// the example itself labels; without one it would be only an unchecked answer
// of the teacher. If a step's input comes from a step that is not labelled,
// that step is filled first.
//
// Each example is filled at most once per step, however often it is asked for.
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_LABELS_H
#define SEARCH_TOOLKIT_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"

struct labels;

// Borrows session, which must outlive the result.
struct labels *labels_new(struct session *session, struct err *err);
void labels_free(struct labels *labels); // accepts NULL

// Determines these rows' demos of a step (an index into the program's steps),
// asking the teacher about all rows at the same time.
bool labels_fill(struct labels *labels, int step, struct row_span rows,
                 struct err *err);

// Returns true if the row itself has every input and output of the step, so
// that labels_fill asks nobody. Also returns false when out of memory.
bool labels_say_all(struct labels *labels, int step, size_t row);

// Returns the inputs of the step as the row has them, a new reference, or NULL
// if one is unknown.
json_t *labels_inputs(struct labels *labels, int step, size_t row);

// Returns the step's demo from the row, filled before, or NULL if it has none.
// Borrowed.
const struct demo *labels_demo(const struct labels *labels, int step,
                               size_t row);

#endif
