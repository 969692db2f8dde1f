// status: the current state of the loop as JSON, for `workers`, the pages and
// whoever watches a cluster. docs/protocol.md describes the members.
//
// Call only from the loop's thread. Both functions return a new reference, or
// NULL when out of memory.

#ifndef COORDINATOR_STATUS_H
#define COORDINATOR_STATUS_H

#include <jansson.h>

#include "coordinator/engine.h"
#include "coordinator/jobs.h"

// Lists the connected workers, each with the reason why it gets fewer calls
// than it could take, or "". The members and their order are those that a store
// gives for its workers (store/lookup.c).
json_t *status_workers(const struct engine *engine, const struct jobs *jobs);

// Gives jobs, calls, workers and turns in numbers. Cheap enough to be asked for
// a few times a second.
json_t *status_numbers(struct engine *engine, const struct jobs *jobs);

#endif
