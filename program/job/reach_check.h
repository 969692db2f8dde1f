// reach_check: tells, before anything is asked, of a metric that must score 0
// (program/metric/reach.h).

#ifndef PROGRAM_JOB_REACH_CHECK_H
#define PROGRAM_JOB_REACH_CHECK_H

#include "program/job/dataset.h"
#include "program/job/job.h"
#include "program/source/diag.h"

// An error where no answer can score on any example, a warning where that
// holds for a part of a weighted metric or for some of the examples. Looks at
// the first REACH_MAX_ROWS rows.
enum { REACH_MAX_ROWS = 1000 };
void reach_check(const struct job *job, const struct dataset *dataset,
                 struct diags *diags);

#endif
