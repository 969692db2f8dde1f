// lease: a call that is with a worker, and the slot that it has there.
//
// dispatch_state.h draws the states. A lease that is HELD is at work in a slot,
// and its time runs; or it is the one beyond the slots, and its time begins
// when a slot is free. A slot at work counts in the group of the last call
// meant for it, with its rate, so that the next choice sees where it is going.
//
// Invariants
//  1. A worker has at most slots + 1 leases that take a place (HELD, ANSWERED):
//     one that is answered keeps its place until it is credited.
//  2. At most one of them is HELD without a slot, and then no slot is idle.
//  3. A call has at most three leases that are HELD.
//
// Nothing here fails: the memory was taken when the worker joined. Times are
// monotonic milliseconds. The loop's thread, as all of dispatch.

#ifndef DISPATCH_LEASE_H
#define DISPATCH_LEASE_H

#include <stdint.h>

#include "dispatch/dispatch_state.h"

// Gives a queued call to a worker that has a free place, and loads the call's
// model there. Borrowed: the worker's.
struct lease *lease_send(struct dispatch *dispatch,
                         struct dispatch_worker *worker,
                         struct queued_call *queued, int64_t now);

// The worker is told of a lease that is HELD once more: its time runs from now.
void lease_send_again(struct dispatch *dispatch, struct lease *lease,
                      int64_t now);

// Moves it to another state, never to HELD. From HELD it frees the slot, which
// the worker's next lease takes. All but LATE leave the call.
void lease_move(struct dispatch *dispatch, struct lease *lease,
                enum lease_state to, int64_t now);

#endif
