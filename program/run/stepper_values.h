// stepper_values: the inputs and outputs of steps and of the whole program, as
// they become known. All are JSON objects by name.

#ifndef PROGRAM_RUN_STEPPER_VALUES_H
#define PROGRAM_RUN_STEPPER_VALUES_H

#include "program/run/stepper_state.h"

// Returns the value that a step, a condition or an output takes from that
// source. Borrowed; NULL if it does not exist yet.
const json_t *stepper_source_value(const struct stepper *stepper,
                                   struct source source);

// The next three functions store their result in the stepper. They return false
// when out of memory.

// Builds a step's inputs from its sources; null for those without a value.
bool stepper_take_inputs(struct stepper *stepper, int step, struct err *err);

// Sets all of a step's outputs to null.
bool stepper_null_outputs(struct stepper *stepper, int step, struct err *err);

// Builds the program's outputs; null for those that were not computed.
bool stepper_fill_outputs(struct stepper *stepper, struct err *err);

#endif
