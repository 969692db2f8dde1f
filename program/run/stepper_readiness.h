// stepper_readiness: whether a step can run, by what its sources came to.
//
// A step waits until all of its sources are there or known never to come, and
// decides only then: whichever answer comes first, a step is left out, or runs
// without some of its inputs, for the same reasons. Pure; the stepper is only
// read.

#ifndef PROGRAM_RUN_STEPPER_READINESS_H
#define PROGRAM_RUN_STEPPER_READINESS_H

#include "program/run/stepper_state.h"

enum readiness {
    READY,
    NOT_YET,  // a source is still under way
    NEVER,    // a source failed, and it cannot do without
    LEFT_OUT, // its condition does not hold, or it needs what was left out
};

// Of the step with that index: its conditions (`when`), then its inputs.
enum readiness stepper_readiness(const struct stepper *stepper, int step);

// The same of one source. An input of the program is always READY.
enum readiness stepper_source_readiness(const struct stepper *stepper,
                                        struct source source);

#endif
