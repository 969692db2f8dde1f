// sim_structure: a list or an object as the value of an output field: by its
// schema, by the words of its type, or as a demo has it. Sensible, within its
// limits, and of bounded depth.

#ifndef SIMULATED_SIM_STRUCTURE_H
#define SIMULATED_SIM_STRUCTURE_H

#include <stddef.h>

#include "simulated/sim_ask.h"

// As JSON. NULL without memory.
const char *sim_structure_make(struct sim_ask *ask, size_t field);

#endif
