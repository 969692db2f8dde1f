// query_hint: guesses what an unknown name in a query was meant to be.

#ifndef STORE_QUERY_HINT_H
#define STORE_QUERY_HINT_H

#include "common/buf.h"
#include "store/store.h"

// message is SQLite's ("no such column: shar"), sql the query. Appends the rest
// of the sentence: ", did you mean `share`?", or which columns or views exist.
// Appends nothing for other messages.
void query_hint(struct store *store, const char *sql, const char *message,
                struct buf *out);

#endif
