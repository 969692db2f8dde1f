// costs: what calls cost, added up by job, kind and worker, until it is
// written.
//
// The table `costs` holds these sums (schema_10.sql). The loop adds each call
// as it is put, which is a look into a small table, and writes the sums after
// every COSTS_CALLS calls, or later where there are many sums: at most 0.03
// rows a call. A row for each call would be half as much again as the call's
// own row. What a process did not come to write, the next one adds up from the
// calls themselves. Not thread-safe.

#ifndef STORE_COSTS_H
#define STORE_COSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"
#include "store/slots.h"

enum {
    COSTS_CALLS = 1024,
    COSTS_CALLS_A_SUM = 32,         // where that is more
    COSTS_NAMES_BYTES = 128 * 1024, // of workers, and they are written anyhow
};

// Whose calls are added up.
struct cost_of {
    int64_t job_no, kind_id;
    const char *worker;
};

struct cost {
    int64_t job_no, kind_id;
    size_t worker; // where its name begins in names
    int64_t calls, prompt_tokens, cached_calls, cached_tokens;
    int64_t generated_tokens, hedged, total_us;
};

struct costs {
    struct cost *items; // owned; n of cap
    size_t n, cap;
    struct slots slots; // items by what they are of
    struct buf names;   // one after the other, each with its NUL
    size_t calls;       // in all of them
};

#define COSTS_INIT ((struct costs){.names = BUF_INIT(16 * COSTS_NAMES_BYTES)})

void costs_release(struct costs *costs);

// Makes room for one more of this worker, so that the next add cannot fail.
bool costs_reserve(struct costs *costs, const char *worker, struct err *err);

void costs_add(struct costs *costs, const struct cost_of *of,
               const struct call_answer *answer, bool hedged);

// Whether there are enough of them to be written.
bool costs_due(const struct costs *costs);

// Appends their rows to a record. last_call: the last one that is added up.
void costs_put(const struct costs *costs, int64_t last_call,
               struct buf *record);

// Forgets the sums, which are written.
void costs_clear(struct costs *costs);

#endif
