// blame: what a fault says about the call, about the worker, or about both.
//
// The rules are in dispatch.h, under Faults. A row of common/faults.def says
// what each kind of fault counts against; what follows from that is here. A
// call that comes back goes elsewhere at once, goes elsewhere after a back-off,
// or is parked. A worker with several faults in a row is left alone for a
// while.

#ifndef DISPATCH_BLAME_H
#define DISPATCH_BLAME_H

#include "dispatch/dispatch_state.h"

// A lease failed and moves to state `to`. The call comes back unless another
// worker holds it too.
void blame_fault(struct dispatch *dispatch, struct lease *lease,
                 enum call_fault fault, enum lease_state to, int64_t now);

// Nobody holds the call any more, and nobody is to blame: it comes back at
// once.
void blame_lost(struct dispatch *dispatch, struct queued_call *queued,
                int64_t now);

// The call was answered under this lease. Counts a fault against the workers
// that still hold an older copy and have answered nothing since.
void blame_overtaken(const struct queued_call *queued,
                     const struct lease *answered);

#endif
