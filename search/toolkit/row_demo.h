// row_demo: a demo of a step, made from a run of it on a labelled row.
//
// The row's labels are right, whatever the step answered, so they are laid over
// its outputs. Pure.

#ifndef SEARCH_TOOLKIT_ROW_DEMO_H
#define SEARCH_TOOLKIT_ROW_DEMO_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "program/graph/program.h"
#include "program/job/dataset.h"

// Returns the row's label for an output of a step, a new reference; NULL if
// there is none that the field could hold. Sets *no_memory, and returns NULL,
// when out of memory.
json_t *row_demo_label(const struct program *program,
                       const struct dataset *dataset, size_t row, int step,
                       size_t field, bool *no_memory);

// The inputs and outputs of a step in a run on a row.
struct row_demo_run {
    int step;
    size_t row;
    const json_t *inputs;
    const json_t *outputs;
};

// Makes a demo from such a run: its inputs and outputs, with the row's labels
// laid over the outputs. Returns true with *out->fields NULL if a field is
// missing or has the wrong type; otherwise the fields are a new reference.
bool row_demo_of_run(const struct program *program,
                     const struct dataset *dataset,
                     const struct row_demo_run *run, struct demo *out,
                     struct err *err);

// Sets a field of a demo. Returns false when out of memory.
bool row_demo_put(json_t *fields, const struct field *field,
                  const json_t *value, struct err *err);

#endif
