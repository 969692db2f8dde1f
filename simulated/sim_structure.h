// sim_structure: makes a list or an object as the value of an output field:
// from its schema, from the words of its type, or modeled on a demo. The value
// is plausible, within its limits, and of bounded depth.

#ifndef SIMULATED_SIM_STRUCTURE_H
#define SIMULATED_SIM_STRUCTURE_H

#include <stddef.h>

#include "simulated/sim_ask.h"

// Returns the value as JSON, or NULL when out of memory.
const char *sim_structure_make(struct sim_ask *ask, size_t field);

#endif
