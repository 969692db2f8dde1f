// hedge: which call should be made a second time, and when.
//
// At the end of a trial some workers have nothing left to do while a slow one,
// or one that hangs, still holds the last call. An idle worker then gets a copy
// of it, and the first valid answer counts. For that a call must have been out
// for twice the usual time of its kind (DISPATCH_HEDGE_BLIND_MS before any was
// answered, never less than DISPATCH_HEDGE_MIN_MS), or twice its worker's own
// where that is slower, and for as long again as the idle worker would read its
// prompt, where it has to: so only few are made twice. A call with two copies
// gets a third only if none of those who hold it has answered anything since.
//
// Workers are not equally quick. An idle one that has the prompt does not wait
// until a call is late if it is expected to answer it in two thirds of the time
// that its worker still needs:
//
//   slow    |. . . . . . call . . . . . .|
//   quick           |copy|                     at once
//
// It is left alone where less than DISPATCH_HEDGE_MIN_MS would be left.
//
// Measured (bench_dispatch): by this and by each worker's own time, the stages
// of a search take 16 workers 323 s instead of 331 s, and 2.2 % of the calls
// are made twice instead of 4.0 %. On eight unequal workers half as many are.
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

// The next copy of a call that is late. One whose time has not come is a time
// to wait for.
struct hedge hedge_next(const struct dispatch *dispatch);

// A copy of a call that is not late, which would be answered sooner.
struct hedge hedge_sooner(const struct dispatch *dispatch, int64_t now);

#endif
