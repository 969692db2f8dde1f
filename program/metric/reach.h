// reach: checks whether any answer could score on an example.
//
// A metric that no answer can satisfy scores 0 whatever the model says, and
// looks like a bad model: `numeric` on labels that are sentences, a label
// longer than its output may be, a pattern that the enum's labels never match.
// We find such metrics before any model is asked, by scoring what the best
// model would say: the label itself, in a form that the output can hold.

#ifndef PROGRAM_METRIC_REACH_H
#define PROGRAM_METRIC_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "program/metric/metric.h"

// A part of a metric that is scored here, not outside: the metric itself, or a
// part of a weighted metric.
struct reach_part {
    const struct metric *metric; // borrowed
    const char *kind;            // "numeric"
    const char *output;          // the first output that it reads
    const char *label;           // field with the right answer, or NULL
    bool whole;                  // it is the whole metric
};

enum { REACH_MAX_PARTS = 64 };

// Lists the parts of the metric that score outputs without asking anybody, and
// returns their number.
size_t reach_parts(const struct metric *metric,
                   struct reach_part out[REACH_MAX_PARTS]);

// Sets *reaches to true if some answer could score on the example, and also if
// that cannot be known because the example has no right answer. Returns false
// when out of memory.
bool reach_example(const struct reach_part *part, const struct program *program,
                   const json_t *example, bool *reaches, struct err *err);

#endif
