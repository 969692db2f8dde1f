// history_file: a store that is only read: trials, best, jobs, show, query.

#ifndef CLI_HISTORY_FILE_H
#define CLI_HISTORY_FILE_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/options.h"
#include "common/err.h"
#include "store/query.h"
#include "store/store.h"

// The path of the store: --store, else promptcc.db beside `job` where that is
// a job file (or its folder), else here. The caller frees.
char *history_file_path(const struct options *options, const char *job,
                        struct err *err);

// Opens it for reading. job may be NULL.
struct store *history_file_open(const struct options *options, const char *job,
                                struct err *err);

// The id of the job that `job` names: an id, its beginning, a name, or a job
// file (then the latest job that was run from it). The caller frees.
char *history_file_job(struct store *store, const char *job, struct err *err);

// True where `job` is a file or folder rather than an id.
bool is_job_path(const char *job);

// Opens, asks ?1 = the job's id (job NULL: no argument), closes.
json_t *history_file_rows(const struct options *options, const char *job,
                          const char *sql, struct err *err);

#endif
