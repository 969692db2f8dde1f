// hedge: which call should be sent a second time, and when.
//
// At the end of a trial some workers have nothing left to do while a slow or
// hung one still holds the last call. An idle worker then gets a copy of that
// call, and the first valid answer counts. The call must have been out for
// twice the usual time of its kind, or for twice its worker's own usual time if
// that is longer, and never for less than DISPATCH_HEDGE_MIN_MS. While too few
// calls of the kind have been answered to know its usual time, it is
// DISPATCH_HEDGE_BLIND_MS instead. If the first slot had to read the prompt, or
// the idle worker has to, that time is added. So only few calls are sent twice.
// A call with two copies gets a third only if none of its holders has answered
// anything since.
//
// Workers are not equally quick. An idle worker that has the prompt does not
// wait for a call to be late if it is expected to answer it in two thirds of
// the time that the call's worker still needs:
//
//   slow    |. . . . . . call . . . . . .|
//   quick           |copy|                     at once
//
// The call is left alone if less than DISPATCH_HEDGE_MIN_MS remains.
//
// Measured (bench_dispatch): with this, and with each worker's own time, 16
// workers run the stages of a search in 323 s instead of 331 s, and 2.2 % of
// the calls are sent twice instead of 4.0 %. On eight unequal workers half as
// many are.
//
// It reads what dispatch knows and changes nothing: dispatch_next.c asks, and
// sends. The lists have the longest out first, so it is enough to look at their
// first DISPATCH_LOOK entries.

#ifndef DISPATCH_HEDGE_H
#define DISPATCH_HEDGE_H

#include "dispatch/dispatch_state.h"

struct hedge {
    int64_t at; // when it may be sent; -1: there is none
    struct lease *lease;
    struct dispatch_worker *worker;
};

// Returns the next copy of a late call. If its time is still to come, the
// caller must wait until then.
struct hedge hedge_next(const struct dispatch *dispatch);

// Returns a copy of a call that is not late but would be answered sooner.
struct hedge hedge_sooner(const struct dispatch *dispatch, int64_t now);

#endif
