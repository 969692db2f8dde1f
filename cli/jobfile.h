// jobfile: the job of the command line, read and checked before anything runs.
//
// All findings about the job file, its data, its split and its optimizer are
// collected and printed together. If one of them is an error, nothing is sent
// anywhere.

#ifndef CLI_JOBFILE_H
#define CLI_JOBFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"
#include "common/arena.h"
#include "common/buf.h"
#include "program/graph/plan.h"
#include "program/job/bundle.h"
#include "program/job/dataset.h"
#include "program/job/job.h"
#include "program/source/diag.h"
#include "search/optimizers/optimizer.h"

enum { JOBFILE_MAX_OVERRIDES = OPTION_MAX_VALUES + 16 };

struct jobfile {
    struct arena arena;      // overrides and the optimizer's parameters
    char *path;              // owned
    struct bundle *bundle;   // owned, like everything below
    struct job *job;         // NULL if it has errors
    struct dataset *dataset; // the same
    struct split split;
    struct plan plan;
    const struct optimizer *optimizer;            // borrowed
    const char *overrides[JOBFILE_MAX_OVERRIDES]; // from --set, --seed, ...
    size_t n_overrides;
    struct buf compiled; // the text of --compiled, which may come from a pipe
    struct diags *diags; // all findings
};

// Reads the job file at `path` (a folder stands for the job.yaml in it) with
// the overrides of `options`. Returns true even if there are findings: check
// diags_ok(file->diags). Returns false if the file could not be read (no such
// file, out of memory). Release `out` in any case.
bool jobfile_read(struct jobfile *out, const struct options *options,
                  const char *path, struct err *err);

// Like jobfile_read, but for a bundle that already exists, which is taken in
// any case. The overrides are borrowed.
bool jobfile_take(struct jobfile *out, struct bundle *bundle,
                  const char *const *overrides, size_t n_overrides,
                  struct err *err);

// Calls jobfile_read for the command's first operand, prints what was found,
// and if there is no error gives the job to `work`, which returns the exit
// status.
int jobfile_use(const struct options *options,
                int (*work)(const struct options *options,
                            struct jobfile *file));

// Frees the examples and their split once all findings have been printed:
// whoever runs the job reads them again.
void jobfile_drop_rows(struct jobfile *file);

void jobfile_release(struct jobfile *file);

// Writes the job's model names, each once, to out[ROLE_COUNT].
size_t jobfile_models(const struct jobfile *file, const char **out);

// Reads a file, by the name that jobfile_add (jobfile_files.h) gave it, as
// further rows of the job, and prints what was found. Returns EXIT_DONE, or the
// status to exit with.
int jobfile_check_data(struct jobfile *file, const struct options *options,
                       const char *name);

#endif
