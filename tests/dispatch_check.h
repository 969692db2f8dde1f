// dispatch_check: proves that a dispatch is sound.
//
// It walks everything, so its cost grows with the number of calls and slots.

#ifndef TESTS_DISPATCH_CHECK_H
#define TESTS_DISPATCH_CHECK_H

#include "dispatch/dispatch.h"

// Returns NULL if the invariants of dispatch.h hold and all counts and lists
// agree; otherwise says in words what is wrong. Invariant 3 needs the history
// of the calls, so checking it is left to the caller.
const char *dispatch_check(const struct dispatch *dispatch);

#endif
