// stepper_values: the inputs and outputs of steps and of the whole program, as
// they come about. All are JSON objects by name.

#ifndef PROGRAM_RUN_STEPPER_VALUES_H
#define PROGRAM_RUN_STEPPER_VALUES_H

#include "program/run/stepper_state.h"

// The value that a step, a condition or an output takes from there: borrowed.
// NULL where there is none yet.
const json_t *stepper_source_value(const struct stepper *stepper,
                                   struct source source);

// The three below make what they are named after, and keep it in the stepper.
// False without memory.

// A step's inputs, from its sources; null for those that have no value.
bool stepper_take_inputs(struct stepper *stepper, int step, struct err *err);

// A step's outputs, all of them null.
bool stepper_null_outputs(struct stepper *stepper, int step, struct err *err);

// The program's outputs; null for those that were not computed.
bool stepper_fill_outputs(struct stepper *stepper, struct err *err);

#endif
