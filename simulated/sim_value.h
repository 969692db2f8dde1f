// sim_value: makes the value of one output field, whatever its type.
//
// Labels and booleans are chosen (sim_label), texts are written (sim_say),
// lists and objects are composed (sim_structure). Numbers are made here:
// plausible, and within their limits.

#ifndef SIMULATED_SIM_VALUE_H
#define SIMULATED_SIM_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#include "simulated/sim_ask.h"

// Makes ask->values[field].
bool sim_value_make(struct sim_ask *ask, size_t field, struct err *err);

#endif
