#include "program/run/stepper_readiness.h"

#include <assert.h>

#include "program/graph/kind.h"
#include "program/run/stepper_values.h"

enum readiness stepper_source_readiness(const struct stepper *stepper,
                                        struct source source)
{
    if (source.step == SOURCE_INPUT)
        return READY;
    const struct step_progress *slot = &stepper->slots[source.step];
    switch (slot->state) {
    case SLOT_UNUSED:
    case SLOT_DONE:
        return READY;
    case SLOT_FAILED:
        return slot->harmless ? READY : NEVER;
    case SLOT_BLOCKED:
        return NEVER;
    case SLOT_LEFT_OUT:
        return LEFT_OUT;
    case SLOT_WAITING:
    case SLOT_ASKED:
    case SLOT_BROKEN:
        break;
    }
    return NOT_YET;
}

// Returns READY if all conditions hold, as far as they are known.
static enum readiness when_readiness(const struct stepper *stepper,
                                     const struct step *step)
{
    enum readiness worst = READY;

    for (size_t i = 0; i < step->n_when; i++) {
        const struct condition *one = &step->when[i];
        enum readiness source = stepper_source_readiness(stepper, one->source);

        if (source == NEVER)
            return NEVER;
        if (source == NOT_YET)
            worst = NOT_YET;
        else if (!condition_holds(one,
                                  stepper_source_value(stepper, one->source)) &&
                 worst == READY)
            worst = LEFT_OUT;
    }
    return worst;
}

// A step is left out if its source was, unless it can run without it.
static enum readiness input_readiness(const struct stepper *stepper,
                                      const struct step *step, size_t i)
{
    enum readiness one = stepper_source_readiness(stepper, step->sources[i]);

    return one == LEFT_OUT && (step->kind->takes_null ||
                               step->signature.inputs[i].type.optional)
               ? READY
               : one;
}

// For a step that can run although some of its inputs never arrive. It still
// waits for all the others, because its answer must not depend on which came
// first.
static enum readiness survivor_readiness(const struct stepper *stepper,
                                         const struct step *step)
{
    bool lost[PROGRAM_MAX_FIELDS * VOTERS_MAX + 1];
    enum readiness worst = READY;

    assert(step->signature.n_inputs <= sizeof lost / sizeof *lost);
    for (size_t i = 0; i < step->signature.n_inputs; i++) {
        enum readiness one = input_readiness(stepper, step, i);

        lost[i] = one == NEVER;
        if (one == NOT_YET)
            worst = NOT_YET;
    }
    return worst == READY && !step->kind->survives(step, lost) ? NEVER : worst;
}

// The result does not depend on the order of answers: a step waits while any of
// its sources is open, and a step after a failure never runs.
enum readiness stepper_readiness(const struct stepper *stepper, int step)
{
    const struct step *at = &stepper->program->steps[step];
    enum readiness worst = when_readiness(stepper, at);

    if (worst != READY)
        return worst;
    if (at->kind->survives != NULL)
        return survivor_readiness(stepper, at);
    for (size_t i = 0; i < at->signature.n_inputs; i++) {
        enum readiness one = input_readiness(stepper, at, i);
        if (one == NEVER)
            return NEVER;
        if (one == NOT_YET || (one == LEFT_OUT && worst == READY))
            worst = one;
    }
    return worst;
}
