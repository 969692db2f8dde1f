// dataset_load: the rows of a job's data files.
//
// JSON lines, JSON or a table (rows.h), one example a row, checked against the
// program's inputs and the labels that its outputs name (also as "step.field").
// Labels that the metric needs must be there; any other label that is null
// counts as not given. Further columns are kept for metrics.
//
// A cell of a CSV file gets the type of its input or label: numbers, true and
// false (also yes, no, 1, 0), lists and objects as JSON. An empty cell
// means that there is no value; a text without a default is then empty.

#ifndef PROGRAM_JOB_DATASET_LOAD_H
#define PROGRAM_JOB_DATASET_LOAD_H

#include "program/job/bundle.h"
#include "program/job/dataset.h"

// All files of the job. NULL with findings (bad rows with their lines).
struct dataset *dataset_load(const struct job *job, struct bundle *bundle,
                             struct diags *diags);

// One more file, as `eval --data` has it. NULL with findings.
struct dataset *dataset_file(const struct job *job, struct bundle *bundle,
                             const char *name, struct diags *diags);

#endif
