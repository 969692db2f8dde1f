// demo_origins: the calls whose replies the demos of a step show.
//
// A demo came from a call about the same inputs whose reply contains its other
// values: from a run of the step outside of scored trials, or from a call that
// filled in what a row lacked. Demos as they are in the data have no call; so
// the calls of scored trials count only for demos that say more than a row.
//
// Private to this room.

#ifndef STORE_DEMO_ORIGINS_H
#define STORE_DEMO_ORIGINS_H

#include <jansson.h>

#include "common/err.h"
#include "store/store.h"

// Returns a list with a call's id or null for each demo of that step, from the
// job's history. A new reference; NULL on failure.
json_t *demo_origins(struct store *store, const char *id, const char *step,
                     const json_t *demos, struct err *err);

#endif
