// jobfile: the job of the command line, read and checked before anything runs.
//
// All findings of the job file, its data, its split and its optimizer are
// collected and printed together; with an error among them nothing is sent
// anywhere.

#ifndef CLI_JOBFILE_H
#define CLI_JOBFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"
#include "common/arena.h"
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
    struct bundle *bundle;   // owned, as all below
    struct job *job;         // NULL when it has errors
    struct dataset *dataset; // the same
    struct split split;
    struct plan plan;
    const struct optimizer *optimizer;            // borrowed
    const char *overrides[JOBFILE_MAX_OVERRIDES]; // of --set, --seed, ...
    size_t n_overrides;
    struct diags *diags; // all findings
};

// Reads the job file at path (a folder stands for the job.yaml in it) with
// the overrides of options. True also when it has findings: ask
// diags_ok(file->diags). False when it could not be read: no such file,
// no memory. out is to be released in any case.
bool jobfile_read(struct jobfile *out, const struct options *options,
                  const char *path, struct err *err);

// The same of a bundle that is there already, which is taken in any case, with
// overrides that are borrowed.
bool jobfile_take(struct jobfile *out, struct bundle *bundle,
                  const char *const *overrides, size_t n_overrides,
                  struct err *err);

// jobfile_read, then prints what was found. EXIT_DONE, or the status to end
// with.
int jobfile_load(struct jobfile *out, const struct options *options,
                 const char *path);

// Lets go of the examples and their split, once all findings are told: who runs
// the job reads them for himself.
void jobfile_drop_rows(struct jobfile *file);

void jobfile_release(struct jobfile *file);

// The model names of the job, each once, into out[ROLE_COUNT].
size_t jobfile_models(const struct jobfile *file, const char **out);

// Adds the files that exec metrics name, as far as they are there: a
// coordinator elsewhere needs them.
void jobfile_add_programs(struct jobfile *file);

// Adds a file of the command line (relative to where we are) to the bundle.
// *name is what it is called there; borrowed from the bundle. NULL path does
// nothing.
bool jobfile_add(struct jobfile *file, const char *path, const char **name,
                 struct err *err);

// Reads a file that jobfile_add called so as further rows of the job, and
// prints what was found. EXIT_DONE, or the status to end with.
int jobfile_check_data(struct jobfile *file, const struct options *options,
                       const char *name);

// Beside the job file. The caller frees; NULL without memory.
char *jobfile_beside(const char *path, const char *name);

#endif
