// plan: which steps, and which of their fields, somebody reads.
//
// While searching only the steps run on which an output depends that the
// metric reads. A field that neither the metric nor a running step reads may
// fail without harm: it becomes null and is counted.

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

// The predictors whose steps run, in their order, into out (room for all of the
// program's; NULL: none is wanted). Returns how many.
size_t plan_predictors(const struct plan *plan, const struct program *program,
                       size_t *out);

#endif
