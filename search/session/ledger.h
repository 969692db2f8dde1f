// ledger: the calls and tokens that a job has used, each call counted once.
//
// Calls are entered in the order in which their work was submitted, so which
// trial was the first to use a call does not depend on the order of arrival.
// Pure.

#ifndef SEARCH_SESSION_LEDGER_H
#define SEARCH_SESSION_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

// A stored call that an item's result rests on, and its tokens.
struct used_call {
    int64_t id;
    int64_t tokens; // prompt and generated
};

// A list of them.
struct used_calls {
    struct used_call *items; // owned
    size_t n, cap;
    bool incomplete; // memory ran out for some of them
};

// Adds n calls, or else sets `incomplete`.
void used_calls_add(struct used_calls *list, const struct used_call *calls,
                    size_t n);
void used_calls_release(struct used_calls *list); // accepts zeroed

// Calls, and the tokens of their prompts and replies.
struct use {
    int64_t calls;
    int64_t tokens;
};

struct use use_times(struct use one, size_t n);     // use of n such pieces
struct use use_smaller(struct use a, struct use b); // smaller of each figure

struct ledger {
    struct use sum;
    uint8_t *seen;   // a bit for each call id; owned
    size_t seen_len; // bytes
};

void ledger_release(struct ledger *ledger);

// Adds the calls that were not used before. Returns false when out of memory;
// some of the calls may then have been added.
bool ledger_use(struct ledger *ledger, const struct used_call *calls, size_t n,
                struct err *err);

#endif
