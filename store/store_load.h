// store_load: what a store that is opened for writing must know of its file:
// the calls by their keys, the texts by their hashes, the sums that are still
// to be written, and the next id of each table.

#ifndef STORE_STORE_LOAD_H
#define STORE_STORE_LOAD_H

#include <stdbool.h>

#include "common/err.h"
#include "store/store.h"

// Fills the indexes of a store whose reader is open, and logs how many calls
// are missing. Returns false, with ERR_STORE, if the file is damaged.
bool store_load(struct store *store, struct err *err);

#endif
