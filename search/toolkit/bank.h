// bank: which row can be a demo of which step, and what it then says.
//
// A demo holds every input and output of its step. Where a row comes from, the
// cheapest way first:
//
//   labelled  the row says all of it
//   traced    the student ran on it and the metric was content: what its steps
//             took and gave, the row's labels put over it
//   mended    the student's run was wrong, but all that the row does not say
//             are numbers, choices and the like: the label goes in, the rest
//             stays as the student had it
//   filled    what is missing is text (the reasoning before a label): the
//             teacher is asked, once a row, given the label
//
// A step of which no output is labelled learns from traces alone, and only from
// runs that ended right: nothing else says that its answer was any good.
//
// For the job's own thread.

#ifndef SEARCH_TOOLKIT_BANK_H
#define SEARCH_TOOLKIT_BANK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"

struct bank;

// Over n rows to train on; a row is known by its place among them. session and
// rows are borrowed.
struct bank *bank_new(struct session *session, const size_t *rows, size_t n,
                      struct err *err);
void bank_free(struct bank *bank); // NULL is fine

// Learns from a scored, traced run of the student on the row at `place`. pass:
// the score from which a run is right. The first right run of a row stays.
bool bank_learn(struct bank *bank, size_t place, const struct task_item *item,
                double pass, struct err *err);

// Whether predictor `part` can have the row as a demo; asks says whether the
// teacher has to be asked for it. ask may be NULL.
bool bank_has(const struct bank *bank, size_t part, size_t place, bool *asks);

// Makes the demos of these rows ready, asking the teacher about all of them
// together where that is needed.
bool bank_fill(struct bank *bank, size_t part, const size_t *places, size_t n,
               struct err *err);

// The demo, after bank_fill; NULL when nothing came of it. Borrowed.
const struct demo *bank_demo(const struct bank *bank, size_t part,
                             size_t place);

#endif
