// costs: what calls cost, added up by job and kind, until it is written.
//
// The table `costs` is these sums (schema_7.sql). The loop adds each call as it
// is put, which is a few additions, and puts what came together with every
// COSTS_CALLS calls: 0.01 rows a call, where a row each time would be half as
// much again as the call's own. What a process did not come to write, the next
// one adds up from the calls themselves. Not thread-safe.

#ifndef STORE_COSTS_H
#define STORE_COSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"

enum { COSTS_CALLS = 1024 };

struct cost {
    int64_t job_no, kind_id;
    int64_t calls, prompt_tokens, cached_calls, cached_tokens;
    int64_t generated_tokens, hedged, total_us;
};

struct costs {
    struct cost *items; // owned; n of cap
    size_t n, cap;
    size_t last;  // the item that was added to last
    size_t calls; // in all of them
};

#define COSTS_INIT ((struct costs){0})

void costs_release(struct costs *costs);

// Makes room for one more, so that the next add cannot fail.
bool costs_reserve(struct costs *costs, struct err *err);

void costs_add(struct costs *costs, int64_t job_no, int64_t kind_id,
               const struct call_answer *answer, bool hedged);

// Whether there are enough of them to be written.
bool costs_due(const struct costs *costs);

// Appends their rows to a record. last_call: the last one that is added up.
void costs_put(const struct costs *costs, int64_t last_call, struct buf *record);

// They are written.
void costs_clear(struct costs *costs);

#endif
