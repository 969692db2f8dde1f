// checks: what `check` tries out beyond reading the job file and its data.
//
// Each is a row of a table in checks.c: it looks at a job that has no errors
// and adds findings. The metric's own programs are run, since they come
// with the job and a run would start them too; a model is asked for two rows
// where a server answers (cli/replies.h).

#ifndef CLI_CHECKS_H
#define CLI_CHECKS_H

#include "cli/jobfile.h"

// Adds findings to file->diags. Does nothing when there are errors already.
void checks_run(struct jobfile *file, const struct options *options);

#endif
