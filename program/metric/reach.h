// reach: whether any answer could score on an example.
//
// A metric that no answer can satisfy scores 0 whatever the model says, and
// looks like a bad model: `numeric` over labels that are sentences, a label
// longer than its output may be, a pattern that the enum's labels never match.
// It is found before a model is asked, by scoring what the best model would
// say: the label itself, as the output can hold it.

#ifndef PROGRAM_METRIC_REACH_H
#define PROGRAM_METRIC_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "program/metric/metric.h"

// A part of a metric that is scored here, not outside: the metric itself, or
// those of a weighted one.
struct reach_part {
    const struct metric *metric; // borrowed
    const char *kind;            // "numeric"
    const char *output;          // the first that it reads
    const char *label;           // where the right answer stands, or NULL
    bool whole;                  // the metric has no other part
};

enum { REACH_MAX_PARTS = 64 };

size_t reach_parts(const struct metric *metric,
                   struct reach_part out[REACH_MAX_PARTS]);

// Sets *reaches: whether some answer could score on the example. It is true as
// well if that cannot be known, since the example has no right answer. False
// without memory.
bool reach_example(const struct reach_part *part, const struct program *program,
                   const json_t *example, bool *reaches, struct err *err);

#endif
