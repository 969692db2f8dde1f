// stepper_readiness: decides whether a step can run, from the state of its
// sources.
//
// A step waits until all of its sources either have a value or never will, and
// only then decides. So whichever answer comes first, a step is left out, or
// runs without some of its inputs, for the same reasons. Pure; only reads the
// stepper.

#ifndef PROGRAM_RUN_STEPPER_READINESS_H
#define PROGRAM_RUN_STEPPER_READINESS_H

#include "program/run/stepper_state.h"

enum readiness {
    READY,
    NOT_YET,  // a source is still in progress
    NEVER,    // a source failed, and the step needs it
    LEFT_OUT, // its condition is false, or its source is left out
};

// Checks the step with that index: its conditions (`when`), then its inputs.
enum readiness stepper_readiness(const struct stepper *stepper, int step);

// Checks one source. An input of the program is always READY.
enum readiness stepper_source_readiness(const struct stepper *stepper,
                                        struct source source);

#endif
