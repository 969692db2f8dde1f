// repeats: examples with the same inputs, in shares that must not meet.
//
// If a row is repeated in another share, the score on it tells how well the
// answer was remembered. The same holds within a share that is both train and
// val, where the one may be a demo while the other is scored. Such rows are
// kept, and reported in one finding of each kind. Pure.

#ifndef PROGRAM_JOB_REPEATS_H
#define PROGRAM_JOB_REPEATS_H

#include <stdbool.h>

#include "program/job/dataset.h"
#include "program/source/diag.h"

// Adds a warning for each kind of repeats that the shares have. Returns false
// when out of memory, with diags->nomem set.
bool repeats_report(const struct dataset *dataset, const struct split *split,
                    struct diags *diags);

#endif
