// ledger: what a job has used, each call counted once.
//
// Calls are given in the order in which their work was submitted, so that who
// was the first to use one does not depend on the order of arrival. Pure.

#ifndef SEARCH_SESSION_LEDGER_H
#define SEARCH_SESSION_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "search/session/task.h"

struct ledger_sum {
    int64_t calls;
    int64_t tokens;
};

struct ledger {
    struct ledger_sum sum;
    int64_t uses;    // repeats included
    uint8_t *seen;   // a bit for each call id; owned
    size_t seen_len; // bytes
};

void ledger_release(struct ledger *ledger);

// Adds those of the calls that were not used before. False without memory.
bool ledger_use(struct ledger *ledger, const struct used_call *calls, size_t n,
                struct err *err);

#endif
