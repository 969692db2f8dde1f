// plan: which steps run, and which of their fields are read.
//
// A search runs only the steps that some output read by the metric depends on.
// If neither the metric nor a running step reads a field, it may fail without
// harm: it becomes null and is counted.

#ifndef PROGRAM_GRAPH_PLAN_H
#define PROGRAM_GRAPH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program/graph/program.h"

struct plan {
    bool runs[PROGRAM_MAX_STEPS];
    uint64_t reads[PROGRAM_MAX_STEPS]; // bit f: output f of the step is read
};

// reads_output has one bool for each output of the program.
void plan_make(const struct program *program, const bool *reads_output,
               struct plan *out);
void plan_all(const struct program *program, struct plan *out);

// Writes the predictors whose steps run to `out`, in program order, and returns
// how many there are. `out` has room for all predictors of the program; NULL
// only counts.
size_t plan_predictors(const struct plan *plan, const struct program *program,
                       size_t *out);

#endif
