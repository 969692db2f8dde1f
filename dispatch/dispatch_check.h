// dispatch_check: proves that a dispatch is sound. For tests.
//
// Walks everything, so it costs as much as there are calls and slots.

#ifndef DISPATCH_DISPATCH_CHECK_H
#define DISPATCH_DISPATCH_CHECK_H

#include "dispatch/dispatch.h"

// NULL when the invariants of dispatch.h hold and all counts and lists agree;
// else the one that does not, in words. Invariant 3 needs the history of calls
// and is the caller's to check.
const char *dispatch_check(const struct dispatch *dispatch);

#endif
