// alloc_fault: lets the n-th allocation of a scenario fail, for every n.
//
// Our code is linked with --wrap, so that malloc, calloc, realloc, strdup and
// strndup arrive here first; so do jansson's, as common/json.c makes it
// allocate through our code. Other shared libraries allocate as ever.
//
// One scenario at a time; it may use threads, whose allocations count too.

#ifndef TESTS_FAULT_ALLOC_FAULT_H
#define TESTS_FAULT_ALLOC_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

// Something that may run out of memory at any point. Returns true when it
// worked; else false with err filled by ERR_NOMEM. Whatever it took, it gives
// back either way: LeakSanitizer looks. It is run many times and must do the
// same each time.
typedef bool fault_scenario(struct err *err);

// Runs scenario with its allocation 0, then 1, 2, ... failing, until a run in
// which none was left to fail; first with that one failing alone, then with
// all after it failing too. Fails the test when a run ends in any way that
// the scenario may not, when the run without a failure does not work, or when
// no run failed at all, which means that nothing was tested. Returns the
// number of allocations in the scenario.
size_t fault_each(fault_scenario *scenario);

// What is no part of the scenario, such as a stand-in that it calls, allocates
// between these two: pause says whether allocations were failing, resume takes
// that back.
bool fault_pause(void);
void fault_resume(bool armed);

#endif
