// guard: what a statement on a store's reader may do, and for how long.
//
// SQLite asks the guard for every statement, ours too. It may read, with any
// function that neither loads code nor shows the memory of the process.
//
// Private to this room.

#ifndef STORE_GUARD_H
#define STORE_GUARD_H

#include <stdbool.h>

#include "store/parts.h"

enum { GUARD_VALUE_BYTES = RECORD_MAX_BYTES }; // of a statement or a value

// Restricts the store's reader to reading, and ends statements that run past
// deadline_ms.
bool guard_reader(struct store *store, struct err *err);

#endif
