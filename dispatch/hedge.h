// hedge: which call should be made a second time, and when.
//
// At the end of a trial some workers have nothing left to do while a slow one,
// or one that hangs, still holds the last call. An idle worker then gets a copy
// of it, and the first valid answer counts. For that a call must have been out
// for twice the usual time of its model (DISPATCH_HEDGE_BLIND_MS before any was
// answered, never less than DISPATCH_HEDGE_MIN_MS), and for as long again as
// the idle worker would read its prompt, where it has to: so only few are made
// twice. A call with two copies gets a third only if none of those who hold it
// has answered anything since.
//
// Reads what dispatch knows and changes nothing: dispatch.c asks, and sends.
// The lists have the longest out first, so a look at their first
// DISPATCH_LOOK entries is enough.

#ifndef DISPATCH_HEDGE_H
#define DISPATCH_HEDGE_H

#include "dispatch/dispatch_state.h"

struct hedge {
    int64_t at; // when it may be sent; -1: there is none
    struct lease *lease;
    struct dispatch_worker *worker;
};

// The next copy to be made. One whose time has not come is a time to wait for.
struct hedge hedge_next(const struct dispatch *dispatch);

#endif
