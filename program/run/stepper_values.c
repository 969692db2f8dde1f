#include "program/run/stepper_values.h"

#include <string.h>

static bool set_value(json_t *object, const char *name, const json_t *value,
                      struct err *err)
{
    json_t *given = value != NULL ? json_incref((json_t *)value) : json_null();

    if (object != NULL && json_object_set_new_nocheck(object, name, given) == 0)
        return true;
    if (object == NULL)
        json_decref(given);
    err_nomem(err, "a run's values");
    return false;
}

const json_t *stepper_source_value(const struct stepper *stepper,
                                   struct source source)
{
    const struct program *program = stepper->program;

    if (source.step == SOURCE_INPUT)
        return json_object_get(stepper->inputs,
                               program->inputs[source.field].name);
    const json_t *outputs = stepper->slots[source.step].outputs;
    if (source.field == SOURCE_WHOLE)
        return outputs;
    const struct signature *signature = &program->steps[source.step].signature;
    return json_object_get(outputs, signature->outputs[source.field].name);
}

// Stores object, taking it over, in *out. Drops it if ok is false; it may be
// NULL.
static bool keep(json_t **out, json_t *object, bool ok)
{
    if (!ok) {
        json_decref(object);
        return false;
    }
    json_decref(*out);
    *out = object;
    return true;
}

// Returns true if a step takes exactly the program's inputs, as the first step
// of most programs does. It can then share them: building them again would be a
// tenth of the cost of a run.
static bool takes_all_inputs(const struct stepper *stepper,
                             const struct step *step)
{
    const struct program *program = stepper->program;
    size_t n = program->n_inputs;

    if (step->signature.n_inputs != n || json_object_size(stepper->inputs) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (step->sources[i].step != SOURCE_INPUT ||
            step->sources[i].field != (int)i ||
            strcmp(step->signature.inputs[i].name, program->inputs[i].name) !=
                0)
            return false;
    }
    return true;
}

bool stepper_take_inputs(struct stepper *stepper, int step, struct err *err)
{
    const struct step *at = &stepper->program->steps[step];

    if (takes_all_inputs(stepper, at))
        return keep(&stepper->slots[step].inputs, json_incref(stepper->inputs),
                    true);
    json_t *object = json_object();
    bool ok = object != NULL;

    if (!ok)
        err_nomem(err, "a step's inputs");
    for (size_t i = 0; ok && i < at->signature.n_inputs; i++)
        ok = set_value(object, at->signature.inputs[i].name,
                       stepper_source_value(stepper, at->sources[i]), err);
    return keep(&stepper->slots[step].inputs, object, ok);
}

bool stepper_null_outputs(struct stepper *stepper, int step, struct err *err)
{
    const struct signature *signature =
        &stepper->program->steps[step].signature;
    json_t *object = json_object();
    bool ok = object != NULL;

    if (!ok)
        err_nomem(err, "a step's outputs");
    for (size_t i = 0; ok && i < signature->n_outputs; i++)
        ok = set_value(object, signature->outputs[i].name, NULL, err);
    return keep(&stepper->slots[step].outputs, object, ok);
}

// Returns the step whose outputs are exactly those of the program; -1 if none.
static int whole_source(const struct program *program)
{
    int step = program->n_outputs == 0 ? -1 : program->outputs[0].source.step;

    if (step < 0 ||
        program->steps[step].signature.n_outputs != program->n_outputs)
        return -1;
    for (size_t i = 0; i < program->n_outputs; i++) {
        const struct program_output *output = &program->outputs[i];
        const struct field *field = &program->steps[step].signature.outputs[i];

        if (output->source.step != step || output->source.field != (int)i ||
            strcmp(output->name, field->name) != 0)
            return -1;
    }
    return step;
}

bool stepper_fill_outputs(struct stepper *stepper, struct err *err)
{
    const struct program *program = stepper->program;
    int whole = whole_source(program);
    json_t *object = whole < 0 ? NULL : stepper->slots[whole].outputs;
    bool ok = true;

    if (json_object_size(object) == program->n_outputs)
        return keep(&stepper->outputs, json_incref(object), true);
    object = json_object();
    for (size_t i = 0; ok && i < program->n_outputs; i++) {
        const struct program_output *output = &program->outputs[i];

        ok = set_value(object, output->name,
                       stepper_source_value(stepper, output->source), err);
    }
    return keep(&stepper->outputs, object, ok && object != NULL);
}
