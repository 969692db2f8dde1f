// blame: what a fault says, of the call, of the worker, or of both.
//
// The rules are told in dispatch.h, under Faults. What each kind of fault
// speaks against is a row of the table in common/call.c; here is what follows:
// a call that comes back goes elsewhere at once, after a back-off, or is
// parked, and a worker with faults in a row is left alone for a while.

#ifndef DISPATCH_BLAME_H
#define DISPATCH_BLAME_H

#include "dispatch/dispatch_state.h"

// A lease failed and becomes `to`. The call comes back unless another worker
// holds it as well.
void blame_fault(struct dispatch *dispatch, struct lease *lease,
                 enum call_fault fault, enum lease_state to, int64_t now);

// Nobody holds the call any more, through no fault of anybody's: it comes back
// at once.
void blame_nobody(struct dispatch *dispatch, struct queued_call *queued,
                  int64_t now);

// The call was answered under this lease: what that says of the others that
// hold it.
void blame_overtaken(const struct queued_call *queued,
                     const struct lease *answered);

#endif
