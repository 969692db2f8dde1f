// dataset_load: reads the rows of a job's data files.
//
// A file is JSON lines, JSON or a table (rows.h) with one example per row. Each
// row is checked against the program's inputs and the labels that its outputs
// name (also as "step.field"). Labels that the metric needs must be present;
// any other label that is null counts as not given. Further columns are kept
// for metrics.
//
// A cell of a CSV file gets the type of its input or label: numbers, true and
// false (also yes, no, 1, 0), lists and objects as JSON. An empty cell means
// that there is no value; a text without a default is then empty.

#ifndef PROGRAM_JOB_DATASET_LOAD_H
#define PROGRAM_JOB_DATASET_LOAD_H

#include "program/job/bundle.h"
#include "program/job/dataset.h"

// Loads all files of the job. Returns NULL with findings (bad rows with their
// lines).
struct dataset *dataset_load(const struct job *job, struct bundle *bundle,
                             struct diags *diags);

// Loads one more file, as for `eval --data`. Returns NULL with findings.
struct dataset *dataset_file(const struct job *job, struct bundle *bundle,
                             const char *name, struct diags *diags);

#endif
