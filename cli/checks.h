// checks: what `check` tries out after it has read the job file and its data.
//
// Each check is a row of a table in checks.c: it looks at a job that has no
// errors and adds findings. The metric's own programs are run, since they come
// with the job and a run would start them too. A model is asked about two rows
// if a server answers (cli/replies.h).

#ifndef CLI_CHECKS_H
#define CLI_CHECKS_H

#include "cli/jobfile.h"

// Adds findings to file->diags. Does nothing if it already holds errors.
void checks_run(struct jobfile *file, const struct options *options);

#endif
