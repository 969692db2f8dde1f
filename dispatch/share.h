// share: the jobs of the calls that are there, and what each is entitled to.
//
// A job's share lives while it has calls, or a limit on its workers (seat.h).
// Each of its calls takes it and drops it again.

#ifndef DISPATCH_SHARE_H
#define DISPATCH_SHARE_H

#include "dispatch/dispatch_state.h"

// The share of the call's job, made where it has none; its priority is the
// call's from now on. NULL without memory.
struct share *share_take(struct dispatch *dispatch,
                         const struct dispatch_call *call);
void share_drop(struct dispatch *dispatch, struct share *share);

// At most so many workers for the job; 0: as many as there are. False without
// memory, and then nothing is changed.
bool share_limit(struct dispatch *dispatch, int32_t job, int32_t max_workers);

// Frees those that were kept for their limit, once no calls are left.
void shares_free(struct dispatch *dispatch);

#endif
