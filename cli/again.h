// again: a job that was run before, read back from its store for resume and
// export. The store keeps what was submitted: the job file, its data, and the
// values of --set.

#ifndef CLI_AGAIN_H
#define CLI_AGAIN_H

#include <stdbool.h>

#include "cli/jobfile.h"
#include "cli/options.h"
#include "wire/request.h"

struct again {
    struct jobfile file;
    struct request *request; // as it was submitted; owned
    char *store;             // path; owned
    char *id;                // owned
};

// Finds `job` (an id, the beginning of an id, a name, or the job file that it
// was run from) and reads it. Returns EXIT_DONE, or reports why it failed and
// returns the exit status. A job that another version of promptcc ran is
// refused too, because its history cannot be replayed here. Release `out` in
// any case.
int again_load(struct again *out, const struct options *options,
               const char *job);
void again_release(struct again *again);

#endif
