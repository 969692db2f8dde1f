// bank: which row can be a demo of which step, and the text of that demo.
//
// A demo holds every input and output of its step. A row can provide them in
// four ways, cheapest first:
//
//   labelled  the row has labels for all of it
//   traced    the student ran on the row and the metric passed: the demo is
//             what the step took and gave, with the row's labels laid over it
//   mended    the student's run was wrong, but everything that the row has no
//             label for is a number, a choice or the like: the label is put in
//             and the rest stays as the student had it
//   filled    text is missing (the reasoning before a label): the teacher is
//             asked for it, once per row, and is given the label
//
// A step without any labelled output learns only from traces, and only from
// runs that ended right: nothing else shows that its answer was any good.
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_BANK_H
#define SEARCH_TOOLKIT_BANK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"

struct bank;

// Creates a bank over rows to train on. A row is identified by its place
// among them. Borrows session and rows.
struct bank *bank_new(struct session *session, struct row_span rows,
                      struct err *err);
void bank_free(struct bank *bank); // accepts NULL

// Learns from a scored, traced run of the student on the row at `place`. A run
// is right if it scores at least `pass`. The first right run of a row is kept.
bool bank_learn(struct bank *bank, size_t place, const struct task_item *item,
                double pass, struct err *err);

// Returns true if predictor `part` can have the row as a demo. *asks tells
// whether the teacher has to be asked for it; asks may be NULL.
bool bank_has(const struct bank *bank, size_t part, size_t place, bool *asks);

// Prepares the demos of these rows. Where the teacher is needed, it is asked
// about all of them at the same time.
bool bank_fill(struct bank *bank, size_t part, const size_t *places, size_t n,
               struct err *err);

// Returns the demo, after bank_fill, or NULL if none could be made. Borrowed.
const struct demo *bank_demo(const struct bank *bank, size_t part,
                             size_t place);

#endif
