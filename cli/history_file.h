// history_file: the store that show, jobs, trials, best, export and query read.
//
// It is the file of --store or, with --coordinator, the store of a cluster.
// Both give the same answers (store/lookup.h).

#ifndef CLI_HISTORY_FILE_H
#define CLI_HISTORY_FILE_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/options.h"
#include "common/err.h"
#include "store/store.h"

// Returns the answer to `verb` about `job`, as lookup_answer gives it. `job`
// may also be a job file or its folder, and then means the latest job that was
// run from it; NULL means the newest job with results. `argument` is borrowed
// and may be NULL.
json_t *history_ask(const struct options *options, const char *verb,
                    const char *job, const json_t *argument, struct err *err);

// Like history_ask, but about the job with this id, in the store where `job`
// is.
json_t *history_ask_id(const struct options *options, const char *verb,
                       const char *job, const char *id, const json_t *argument,
                       struct err *err);

// Returns the command's first operand, or NULL if it has none.
const char *history_operand(const struct options *options);

// Returns the path of the store: --store, else promptcc.db next to `job` if
// that is a job file (or in it, if it is a folder), else in the current folder.
// The caller frees the result.
char *history_file_path(const struct options *options, const char *job,
                        struct err *err);

// Like history_file_path, but fails if there is no file.
char *history_file_there(const struct options *options, const char *job,
                         struct err *err);

// Returns true if a file at `out` (--out; may be NULL) would replace none of
// these: the history, the file that `job` names, and the files that the job was
// run from, which are its job file and its data.
bool history_check_out(const struct options *options, const char *job,
                       const char *out, struct err *err);

// Opens the store for reading. `job` may be NULL.
struct store *history_file_open(const struct options *options, const char *job,
                                struct err *err);

// Returns the id of the job that `job` names in an open store. The caller frees
// the result.
char *history_file_job(struct store *store, const char *job, struct err *err);

#endif
