// outcomes: writes what became of each row in an evaluation to a file.

#ifndef CLI_OUTCOMES_H
#define CLI_OUTCOMES_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "common/err.h"

// Writes the rows that `candidate` was scored on, in order, from the store of
// `options` (`job` is the job file's path). The columns are those of
// v_evaluations, as comma-separated values if `path` ends in .csv, else as JSON
// lines. The file is written completely or not at all.
bool outcomes_write(const struct options *options, const char *job,
                    int64_t candidate, const char *path, struct err *err);

// Like outcomes_write, but as a test report (JUnit XML), which systems for
// continuous integration can show. Each row is a test case. It passes with a
// score of at least `pass` (0 to 1); otherwise the reason of its score says why
// it failed.
bool outcomes_write_junit(const struct options *options, const char *job,
                          int64_t candidate, double pass, const char *path,
                          struct err *err);

#endif
