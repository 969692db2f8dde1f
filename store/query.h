// query: reading a store with SQL, safely.
//
// For the subcommands query, trials, best, jobs, show. The connection is
// read-only in SQLite's own sense (authorizer and query_only), a statement is
// interrupted after a deadline and stepped in snapshots of at most 5 s.

#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "store/store.h"

enum { QUERY_MAX_ROWS = 1000000 };

// The result as a JSON list of objects, one a row, columns in order (blobs as
// lower-case hex). args bind ?1, ?2, ... as texts. New reference; NULL with
// ERR_INPUT for SQL that is wrong or would write, with SQLite's words;
// ERR_LIMIT after 5 s or beyond QUERY_MAX_ROWS. Sees what is durable.
json_t *query_rows(struct store *store, const char *sql,
                   const char *const *args, size_t n_args, struct err *err);

// For SQL of somebody else, in a process that does nothing but answer it: from
// now on SQLite takes at most QUERY_HEAP_BYTES in all of this process, and a
// result holds a quarter of that. What needs more fails with ERR_LIMIT. The
// time that one function takes is not bounded by this.
enum { QUERY_HEAP_BYTES = 256 << 20 };
void query_confine(struct store *store);

// The names of the columns that sql gives (a JSON list of texts), each once: of
// two columns called `a`, the later one is `a_2`.
json_t *query_columns(struct store *store, const char *sql, struct err *err);

// The id of the one job that `prefix` names: an id, its beginning, or a job's
// name, then the latest; "" is the newest job that has results, else the
// newest. The caller frees. ERR_INPUT lists what there is.
char *query_job(struct store *store, const char *prefix, struct err *err);

// {"job", "folder"} of each job whose file had that name, the newest first: its
// id, and the folder that it was run from, "" or null where that is not known.
json_t *query_jobs_of_file(struct store *store, const char *name,
                           struct err *err);

#endif
