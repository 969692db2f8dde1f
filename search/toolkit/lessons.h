// lessons: what the teacher's runs of the program on training rows gave.
//
// A row on which the teacher is right is a lesson: each step's inputs and
// outputs in that run are a demo of the step. A row is run at most once per
// round, whoever asks first. The teacher never sees the row that it runs on, or
// a row equal to it, among its own demos.
//
// Rows are run ahead in blocks. Their size follows from the window and the
// number of lessons that are wanted, never from the workers.
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_LESSONS_H
#define SEARCH_TOOLKIT_LESSONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "program/graph/plan.h"
#include "search/session/session.h"
#include "search/toolkit/demos.h"

// Of one row.
struct lesson {
    int64_t rounds; // run so far
    bool passed;
    bool answered;      // at least once
    bool excluded;      // must not be run
    struct demo *demos; // owned if passed: one per predictor, fields or NULL
};

struct lessons {
    struct session *session;       // borrowed
    const struct program *program; // borrowed
    const struct dataset *dataset; // borrowed
    const struct plan *plan;       // borrowed: the steps that the teacher runs
    struct candidate *teacher;     // owned; must be set before lessons_run
    struct lesson *items;          // owned: one per row of the dataset
};

// Starts without a teacher and without lessons. Returns false when out of
// memory.
bool lessons_init(struct lessons *lessons, struct session *session,
                  const struct plan *plan, struct err *err);
void lessons_release(struct lessons *lessons); // accepts zeroed

// Runs the teacher on the first of these rows that it was not run on yet, as
// many as seem to be needed for `missing` further lessons, and blocks. The
// recipe says how many rounds a row gets, and which score passes.
bool lessons_run(struct lessons *lessons, const struct demo_recipe *recipe,
                 struct row_span rows, size_t missing, struct err *err);

#endif
