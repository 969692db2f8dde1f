// reach_check: reports a metric that can only score 0 (program/metric/reach.h)
// before anything is asked.

#ifndef PROGRAM_JOB_REACH_CHECK_H
#define PROGRAM_JOB_REACH_CHECK_H

#include "program/job/dataset.h"
#include "program/job/job.h"
#include "program/source/diag.h"

// Adds an error if no answer can score on any example, and a warning if that is
// true of a part of a weighted metric or of some of the examples. Checks the
// first REACH_MAX_ROWS rows.
enum { REACH_MAX_ROWS = 1000 };
void reach_check(const struct job *job, const struct dataset *dataset,
                 struct diags *diags);

#endif
