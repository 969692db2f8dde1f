// labels: the labelled examples as demos of single steps.
//
// An example is a demo of a step only when every input and every output of
// the step is known for it. What the example does not say, the teacher is
// asked once, shown the step's inputs and the outputs that are known; so the
// filled fields (a confidence, the reasoning before a label) agree with the
// label instead of guessing at it. A label always wins. A demo needs at least
// one output that the example itself labels: without one it would be nothing
// but an unchecked answer of the teacher. Where a step's input comes from a
// step that is not labelled, that step is filled first.
//
// Each example is filled at most once a step, however often it is asked for.
// For the job's own thread.

#ifndef SEARCH_TOOLKIT_LABELS_H
#define SEARCH_TOOLKIT_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"

struct labels;

// session is borrowed and outlives it.
struct labels *labels_new(struct session *session, struct err *err);
void labels_free(struct labels *labels); // NULL is fine

// Finds out what these rows say as demos of a step (an index of the program's),
// asking the teacher about all of them together.
bool labels_fill(struct labels *labels, int step, const size_t *rows, size_t n,
                 struct err *err);

// Whether the row says every input and output of step by itself, so that
// labels_fill asks nobody. False also without memory.
bool labels_say_all(struct labels *labels, int step, size_t row);

// The inputs of step as the row says them, new reference; NULL where one is not
// known.
json_t *labels_inputs(struct labels *labels, int step, size_t row);

// The demo of step that row is, filled before; NULL when it is none. Borrowed.
const struct demo *labels_demo(const struct labels *labels, int step,
                               size_t row);

// What a step was given and gave in a run on a row.
struct labels_run {
    int step;
    size_t row;
    const json_t *inputs;
    const json_t *outputs;
};

// The demo that such a run makes: its inputs and outputs, labels of the row put
// over the latter. True with *out->fields NULL when a field is missing or not
// of its type; else they are a new reference.
bool labels_demo_of_run(const struct program *program,
                        const struct dataset *dataset,
                        const struct labels_run *run, struct demo *out,
                        struct err *err);

#endif
