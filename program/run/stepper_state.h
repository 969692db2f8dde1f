// stepper_state: the state of a stepper (stepper.h), shared by its files:
//
//   stepper.c            asks, takes answers, moves steps between states
//   stepper_readiness.c  whether a step can run
//   stepper_values.c     inputs and outputs
//   stepper_outcome.c    how the run ended

#ifndef PROGRAM_RUN_STEPPER_STATE_H
#define PROGRAM_RUN_STEPPER_STATE_H

#include "program/run/stepper.h"

// A step after a failed one is BLOCKED: it never runs. A step whose `when` does
// not hold is LEFT OUT, and so is one that needs a value of such a step; its
// values are null.
enum slot_state {
    SLOT_UNUSED, // the plan omits it
    SLOT_WAITING,
    SLOT_ASKED,
    SLOT_BROKEN,
    SLOT_DONE,
    SLOT_FAILED,
    SLOT_BLOCKED,
    SLOT_LEFT_OUT,
};

struct step_progress {
    enum slot_state state;
    enum run_outcome outcome; // if it failed
    bool harmless;            // it failed, but nothing needs it
    int attempt;
    json_t *inputs;  // owned
    json_t *outputs; // owned
    struct buf tail; // its payload, unless kept has it; freed by let_go
    struct kept_question *kept; // a reference to a shared payload, or NULL
    char *problem;              // with its last answer; owned, or NULL
};

struct stepper {
    const struct program *program; // borrowed, like plan
    const struct plan *plan;
    const json_t *values; // the candidate's, or NULL; borrowed
    enum adapter adapter;
    struct question_cache *cache; // for its row, or NULL; borrowed
    size_t row;
    bool ended;
    unsigned lenient;
    int repairs;
    json_t *inputs;               // owned
    json_t *outputs;              // owned; NULL until the run has ended
    struct step_progress slots[]; // one for each step
};

#endif
