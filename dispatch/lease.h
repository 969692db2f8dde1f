// lease: a call that is with a worker, and the slot that it has there.
//
// dispatch_state.h has a diagram of the states. A HELD lease either has a slot,
// and its time runs, or it is the one beyond the slots, and its time starts
// when it gets one. A busy slot counts in the group of the last call meant for
// it, with its rate, so that the next choice sees where the slot is headed.
//
// Invariants
//  1. A worker has at most slots + 1 leases that take a place (HELD, ANSWERED).
//     An answered lease keeps its place until it is credited.
//  2. At most one of them is HELD without a slot, and then no slot is idle.
//  3. A call has at most three HELD leases.
//
// Nothing here can fail, since the memory was allocated when the worker joined.
// Times are monotonic milliseconds. Call only from the loop's thread, like
// everything in dispatch.

#ifndef DISPATCH_LEASE_H
#define DISPATCH_LEASE_H

#include <stdint.h>

#include "dispatch/dispatch_state.h"

// Gives a queued call to a worker that has a free place, and notes that the
// worker loads the call's model. The lease is borrowed from the worker.
struct lease *lease_send(struct dispatch *dispatch,
                         struct dispatch_worker *worker,
                         struct queued_call *queued, int64_t now);

// A HELD lease is sent to its worker once more, and its time starts again.
void lease_send_again(struct dispatch *dispatch, struct lease *lease,
                      int64_t now);

// Moves a lease to another state, never to HELD. Moving it from HELD frees its
// slot, which then goes to the lease that waits for one. In any state but LATE
// the lease no longer belongs to its call.
void lease_move(struct dispatch *dispatch, struct lease *lease,
                enum lease_state to, int64_t now);

#endif
