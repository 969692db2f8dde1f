// offer: which of the calls that wait a worker's next slot gets, in the order
// of dispatch.h.
//
// It walks jobs, then the oldest trials, never calls: so it costs a few dozen
// steps whatever the number of calls. It reads what dispatch knows and changes
// nothing.

#ifndef DISPATCH_OFFER_H
#define DISPATCH_OFFER_H

#include "dispatch/dispatch_state.h"

// The call that the worker's next slot should get; NULL: none that it may
// take. The queued call stays listed.
struct queued_call *offer_find(const struct dispatch *dispatch,
                               const struct dispatch_worker *worker,
                               int64_t now);

#endif
