// query: reads a store with SQL, safely.
//
// Whatever is asked of a store goes through here, by lookup.h and by the
// subcommand query. The connection is read-only in SQLite's own sense
// (guard.h). A statement is interrupted after a deadline and runs in snapshots
// of at most 5 s.

#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "store/store.h"

enum { QUERY_MAX_ROWS = 1000000 };

// Returns the result as a JSON list of objects, one per row, with the columns
// in order (blobs as lower-case hex). args are bound to ?1, ?2, ... as texts.
// Returns a new reference. Fails with ERR_INPUT for SQL that is wrong or would
// write, quoting SQLite's message, and with ERR_LIMIT after 5 s or beyond
// QUERY_MAX_ROWS. Sees only what is durable.
json_t *query_rows(struct store *store, const char *sql,
                   const char *const *args, size_t n_args, struct err *err);

// For SQL from somebody else, in a process that does nothing but answer it.
// From now on SQLite takes at most QUERY_HEAP_BYTES in this whole process, and
// a result may hold a quarter of that; a query that needs more fails with
// ERR_LIMIT. This does not bound the time that a single SQL function takes.
enum { QUERY_HEAP_BYTES = 256 << 20 };
void query_confine(struct store *store);

// Returns the names of the columns that sql gives, as a JSON list of texts.
// Every name is unique: the second of two columns called `a` becomes `a_2`.
json_t *query_columns(struct store *store, const char *sql, struct err *err);

#endif
