// call_kind: what most calls of a job share: role, purpose, step, model, digest
// and options.
//
// It is stored once, because it is over 200 bytes that need not be in every row
// of a call. Private to this room.

#ifndef STORE_CALL_KIND_H
#define STORE_CALL_KIND_H

#include <stdint.h>

#include "store/calls.h"

// Returns the id of the call's kind, putting the kind if it is new. Returns 0
// on failure.
int64_t call_kind_put(struct store *store, const struct call_put *call,
                      struct err *err);

#endif
