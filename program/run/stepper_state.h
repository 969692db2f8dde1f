// stepper_state: what a stepper (stepper.h) knows, for the files that it is
// written in:
//
//   stepper.c            asks, takes answers, moves steps between states
//   stepper_readiness.c  whether a step can run
//   stepper_values.c     its inputs and outputs
//   stepper_outcome.c    what came of the run

#ifndef PROGRAM_RUN_STEPPER_STATE_H
#define PROGRAM_RUN_STEPPER_STATE_H

#include "program/run/stepper.h"

// A step that stands behind a failed one is BLOCKED: it never runs. One whose
// `when` does not hold is LEFT OUT, and so is one that needs a value of such a
// step: their values are null.
enum slot_state {
    SLOT_UNUSED, // the plan leaves it out
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
    enum run_outcome outcome; // of a failed one
    bool harmless;            // failed, and nothing needs it
    int attempt;
    json_t *inputs;             // owned
    json_t *outputs;            // owned
    struct buf tail;            // its payload, until it is let go, or
    struct kept_question *kept; // a reference to whose it is; NULL
    char *problem;              // with its last answer; owned, or NULL
};

struct stepper {
    const struct program *program; // borrowed, as the plan
    const struct plan *plan;
    const json_t *values; // of the candidate, or NULL; borrowed
    enum adapter adapter;
    struct question_cache *cache; // of its row; NULL: none; borrowed
    size_t row;
    bool ended;
    unsigned lenient;
    int repairs;
    json_t *inputs;               // owned
    json_t *outputs;              // owned; NULL until the run has ended
    struct step_progress slots[]; // one a step
};

#endif
