// costs: adds up what calls cost, by job, kind and worker, until it is written.
//
// The table `costs` holds these sums (schema_10.sql). The loop adds each call
// as it is put, which is one lookup in a small table, and writes the sums after
// every COSTS_CALLS calls, or later if there are many sums: at most 0.03 rows
// per call. A row for each call would take half as much again as the call's own
// row. What a process did not get to write, the next one adds up from the calls
// themselves. Not thread-safe.

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
    COSTS_CALLS_A_SUM = 32,         // calls per sum before writing, if that is
                                    // more
    COSTS_NAMES_BYTES = 128 * 1024, // of workers' names; written at this size
                                    // anyway
};

// What a call is added up under.
struct cost_of {
    int64_t job_no, kind_id;
    const char *worker;
};

struct cost {
    int64_t job_no, kind_id;
    size_t worker; // where its name begins in `names`
    int64_t calls, prompt_tokens, cached_calls, cached_tokens;
    int64_t generated_tokens, hedged, total_us;
};

struct costs {
    struct cost *items; // owned; n of cap
    size_t n, cap;
    struct slots slots; // finds items by their cost_of
    struct buf names;   // of workers, back to back, each with its NUL
    size_t calls;       // total over all items
};

#define COSTS_INIT ((struct costs){.names = BUF_INIT(16 * COSTS_NAMES_BYTES)})

void costs_release(struct costs *costs);

// Makes room for one more item with this worker, so that the next add cannot
// fail.
bool costs_reserve(struct costs *costs, const char *worker, struct err *err);

// An answered call, as it is added up. Borrowed.
struct cost_call {
    struct cost_of of;
    const struct call_answer *answer; // its cached_tokens are -1 if not known
    bool hedged;
};

// Adds a call to the sums of its job, kind and worker. Call costs_reserve
// first.
void costs_add(struct costs *costs, const struct cost_call *call);

// Returns true if there are enough sums to write them.
bool costs_due(const struct costs *costs);

// Appends the sums' rows to a record. last_call is the last call that they
// include.
void costs_put(const struct costs *costs, int64_t last_call,
               struct buf *record);

// Forgets the sums, which have been written.
void costs_clear(struct costs *costs);

#endif
