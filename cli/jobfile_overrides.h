// jobfile_overrides: what the command line sets in a job file.
//
// --set, --max-calls, --optimizer, --from and their like become overrides,
// "key=value", in the order in which they are laid over the file. An option
// that was typed and a --set of the same key contradict each other, which is an
// error; one that comes from the environment gives way.

#ifndef CLI_JOBFILE_OVERRIDES_H
#define CLI_JOBFILE_OVERRIDES_H

#include <stdbool.h>

#include "cli/jobfile.h"
#include "cli/options.h"
#include "common/err.h"

// Adds the overrides of the options to `file`, whose path and bundle are set;
// adds the file of --from to the bundle, and reads the one of --compiled.
bool jobfile_override(struct jobfile *file, const struct options *options,
                      struct err *err);

// Adds the seed of the options, once the job has been read: it belongs among
// the parameters of the job's optimizer. Sets *changed if there is such a seed;
// the job must then be read again.
bool jobfile_override_seed(struct jobfile *file, const struct options *options,
                           bool *changed, struct err *err);

#endif
