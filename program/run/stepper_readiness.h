// stepper_readiness: whether a step can run, by what its sources came to.

#ifndef PROGRAM_RUN_STEPPER_READINESS_H
#define PROGRAM_RUN_STEPPER_READINESS_H

#include "program/run/stepper_state.h"

enum readiness {
    READY,
    NOT_YET,  // a source is still under way
    NEVER,    // a source failed, and it cannot do without
    LEFT_OUT, // its condition does not hold, or it needs what was left out
};

enum readiness stepper_readiness(const struct stepper *stepper, int step);

// The same of one source.
enum readiness stepper_source_readiness(const struct stepper *stepper,
                                        struct source source);

#endif
