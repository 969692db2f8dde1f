// alloc_fault: lets the n-th allocation of a scenario fail, for every n.
//
// Our code is linked with --wrap, so malloc, calloc, realloc, strdup and
// strndup arrive here first. So do jansson's allocations, since common/json.c
// makes jansson allocate through our code. Other shared libraries allocate as
// usual.
//
// Run one scenario at a time. It may use threads; their allocations count too.

#ifndef TESTS_FAULT_ALLOC_FAULT_H
#define TESTS_FAULT_ALLOC_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

// Something that may run out of memory at any point. Returns true when it
// worked, else false with err set to ERR_NOMEM. Either way it frees everything
// it allocated, which LeakSanitizer checks. It runs many times and must do the
// same each time.
typedef bool fault_scenario(struct err *err);

// Runs the scenario with its allocation 0, then 1, 2, ... failing, until a run
// had no such allocation. Does this first with that allocation failing alone,
// then with all later ones failing too. Fails the test when a run ends in a way
// that the scenario may not, when the run without a failure does not work, or
// when no run failed at all, which means that nothing was tested. Returns the
// number of allocations in the scenario.
size_t fault_each(fault_scenario *scenario);

// Code that is not part of the scenario, such as a stand-in that it calls,
// allocates between these two. fault_pause returns whether allocations were
// failing; fault_resume takes that value back.
bool fault_pause(void);
void fault_resume(bool armed);

#endif
