// jobfile_files: the other files of a job: those that travel with its job file
// in the bundle, and those that it leaves next to it.

#ifndef CLI_JOBFILE_FILES_H
#define CLI_JOBFILE_FILES_H

#include <stdbool.h>

#include "cli/jobfile.h"
#include "common/err.h"

// Adds the files that exec metrics name, as far as they exist: a coordinator
// elsewhere needs them.
void jobfile_add_programs(struct jobfile *file);

// Adds a file of the command line (relative to the current folder) to the
// bundle. *name is its name in the bundle, borrowed from it. Does nothing for a
// NULL path.
bool jobfile_add(struct jobfile *file, const char *path, const char **name,
                 struct err *err);

// Like jobfile_add, for the file of --compiled, which jobfile_load has read.
bool jobfile_add_compiled(struct jobfile *file, const char *path,
                          const char **name, struct err *err);

// The names of what a job leaves next to its file unless an option says
// otherwise.
#define JOBFILE_STORE "promptcc.db"
#define JOBFILE_COMPILED "compiled.json"

// Returns the path of `name` next to the job file at `path`. jobfile_given_or
// returns `given` instead if it is not NULL. The caller frees the result; NULL
// when out of memory.
char *jobfile_beside(const char *path, const char *name);
char *jobfile_given_or(const char *given, const char *path, const char *name);

#endif
