// resumption: what a person changes about a job that continues.
//
// A client's `resume` says it as a JSON object, each member of which is
// optional:
//
//   {"exclude": [17, 18], "priority": 20, "max_workers": 4}
//
// A single row may stand without its brackets. Like a command (commands.h), it
// is read in two halves: off the loop, where the store knows the job's rows,
// and on the loop.

#ifndef COORDINATOR_RESUMPTION_H
#define COORDINATOR_RESUMPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "coordinator/running_job.h"
#include "store/store.h"

struct resumption {
    struct job_share share;
    int32_t *excluded; // rows to leave out from now on; owned
    size_t n_excluded;
};

void resumption_release(struct resumption *changes);

// Returns true if nothing is changed.
bool resumption_is_empty(const struct resumption *changes);

// Reads the text, which may be "", for that job of the store. Returns what
// resumption_of takes. Call from any thread.
json_t *resumption_check(struct store *store, const char *job_id,
                         const char *text, struct err *err);

// Fills in out from what resumption_check returned. Release it after success
// only.
bool resumption_of(const json_t *checked, struct resumption *out,
                   struct err *err);

#endif
