#include "program/graph/kind.h"
#include "program/graph/type_form.h"
#include "program/prompt/prompt.h"
#include "program/run/stepper_readiness.h"

static const char *const outcome_names[RUN_OUTCOME_COUNT] = {
    "done", "format", "cut", "empty", "loop", "too_long", "unjudged",
};

const char *run_outcome_name(enum run_outcome outcome)
{
    if ((int)outcome < 0 || (int)outcome >= RUN_OUTCOME_COUNT)
        return "unknown";
    return outcome_names[outcome];
}

static bool is_lost(const struct stepper *stepper, struct source source)
{
    return stepper_source_readiness(stepper, source) == NEVER;
}

// Returns true if a step that tolerates failures ran, and no output is lost.
static bool is_survived(const struct stepper *stepper)
{
    const struct program *program = stepper->program;
    bool survivor = false;

    for (size_t i = 0; i < program->n_steps; i++)
        survivor = survivor || (program->steps[i].kind->survives != NULL &&
                                stepper->slots[i].state == SLOT_DONE);
    for (size_t i = 0; survivor && i < program->n_outputs; i++)
        survivor = !is_lost(stepper, program->outputs[i].source);
    return survivor;
}

int stepper_failed_step(const struct stepper *stepper)
{
    if (is_survived(stepper))
        return -1;
    for (size_t i = 0; i < stepper->program->n_steps; i++) {
        int step = stepper->program->order[i];
        const struct step_progress *slot = &stepper->slots[step];

        if (slot->state == SLOT_FAILED && !slot->harmless)
            return step;
    }
    return -1;
}

enum run_outcome stepper_outcome(const struct stepper *stepper)
{
    int step = stepper_failed_step(stepper);

    return step < 0 ? RUN_DONE : stepper->slots[step].outcome;
}

const char *stepper_problem(const struct stepper *stepper)
{
    int step = stepper_failed_step(stepper);

    return step >= 0 && (stepper->slots[step].outcome == RUN_FORMAT ||
                         stepper->slots[step].outcome == RUN_EMPTY)
               ? stepper->slots[step].problem
               : "";
}

// Appends "`intent` (one of: a; b; c)".
static void put_expected(struct buf *out, const struct field *field)
{
    struct buf type = BUF_INIT(PROMPT_MAX_BYTES);

    type_describe(&field->type, &type);
    buf_printf(out, "`%s`", field->name);
    if (type.len > 0)
        buf_printf(out, " (%s)", type.data);
    buf_release(&type);
}

static void put_form(const struct stepper *stepper, int step, struct buf *out)
{
    const struct signature *signature =
        &stepper->program->steps[step].signature;

    buf_puts(out, stepper->adapter == ADAPTER_JSON
                      ? " Expected is one JSON object with "
                      : " Expected are, each below its marker, ");
    for (size_t i = 0; i < signature->n_outputs; i++) {
        if (i > 0)
            buf_puts(out, i + 1 < signature->n_outputs ? ", " : " and ");
        put_expected(out, &signature->outputs[i]);
    }
    buf_putc(out, '.');
}

void stepper_feedback(const struct stepper *stepper, struct buf *out)
{
    static const char *const told[RUN_OUTCOME_COUNT] = {
        [RUN_FORMAT] = "could not be read",
        [RUN_CUT] = "was cut off at num_predict, before it was complete",
        [RUN_EMPTY] = "was empty",
        [RUN_LOOP] = "repeated itself without an end",
        [RUN_TOO_LONG] = "never came: the prompt does not fit num_ctx",
    };
    int step = stepper_failed_step(stepper);
    const char *failure = told[stepper_outcome(stepper)];

    if (step < 0 || failure == NULL)
        return;
    const char *problem = stepper_problem(stepper);
    buf_printf(out, "The reply of `%s` %s", stepper->program->steps[step].name,
               failure);
    if (problem[0] != '\0')
        buf_printf(out, ": %s", problem);
    buf_putc(out, '.');
    if (stepper_outcome(stepper) != RUN_TOO_LONG)
        put_form(stepper, step, out);
}
