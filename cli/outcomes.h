// outcomes: what became of each row in an evaluation, as a file.

#ifndef CLI_OUTCOMES_H
#define CLI_OUTCOMES_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "common/err.h"

// Writes the rows that candidate was scored on, in their order, from the store
// of options (job is the job file's path): the columns of v_evaluations, as
// comma-separated values where path ends in .csv, else as JSON lines. The file
// is whole or not there.
bool outcomes_write(const struct options *options, const char *job,
                    int64_t candidate, const char *path, struct err *err);

// The same as a report of tests (JUnit XML), as systems for continuous
// integration show it: a case a row, which passes with a score of at least
// pass (0 to 1); the reason of its score says why it does not.
bool outcomes_write_junit(const struct options *options, const char *job,
                          int64_t candidate, double pass, const char *path,
                          struct err *err);

#endif
