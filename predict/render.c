#include "predict/render.h"

#include <string.h>

#include "common/text.h"
#include "predict/inputs.h"
#include "program/graph/type_check.h"
#include "program/prompt/prompt.h"
#include "retrieve/nearest.h"

const struct step *render_find_step(const struct compiled *compiled,
                                    const char *name, struct err *err)
{
    const struct program *program = compiled->program;
    const char *names[PROGRAM_MAX_STEPS] = {NULL};
    struct buf list = BUF_INIT(160);
    const struct step *step = NULL;
    const char *near;

    for (size_t i = 0; i < program->n_predictors; i++) {
        names[i] = program_predictor(program, i)->name;
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
        if (strcmp(names[i], name) == 0)
            step = program_predictor(program, i);
    }
    near = text_nearest(name, names, program->n_predictors);
    if (step == NULL && near != NULL)
        err_set(err, ERR_INPUT,
                "there is no step `%.40s` that asks a model, did you mean "
                "`%s`?",
                name, near);
    else if (step == NULL)
        err_set(err, ERR_INPUT,
                "there is no step `%.40s` that asks a model; those that do: %s",
                name, list.data == NULL ? "none" : list.data);
    buf_release(&list);
    return step;
}

// Returns what stands for an input of the program that is not given: its
// default, or null if it is optional. Borrowed; NULL if the input is needed, or
// comes from another step.
static json_t *fill_in(const struct program *program,
                       const struct source *source)
{
    if (source->step != SOURCE_INPUT)
        return NULL;
    const struct field *input = &program->inputs[source->field];
    if (input->default_value != NULL)
        return input->default_value;
    return input->type.optional ? json_null() : NULL;
}

// Returns every input of the step in order, with defaults filled in and types
// checked.
static json_t *complete_inputs(const struct program *program,
                               const struct step *step, const json_t *values,
                               struct err *err)
{
    const struct signature *signature = &step->signature;
    json_t *inputs = json_object();

    for (size_t i = 0; i < signature->n_inputs; i++) {
        const struct field *field = &signature->inputs[i];
        json_t *value = json_object_get(values, field->name);

        if (value == NULL)
            value = fill_in(program, &step->sources[i]);
        if (value == NULL)
            err_set(err, ERR_INPUT,
                    "step `%s` needs a value for `%s` (with no values at all, "
                    "what comes before the question is shown)",
                    step->name, field->name);
        if (value == NULL ||
            !type_check(&field->type, field->name, value, err)) {
            json_decref(inputs);
            return NULL;
        }
        (void)json_object_set(inputs, field->name, value);
    }
    return inputs;
}

bool render_step(const struct compiled *compiled, const struct step *step,
                 const json_t *values, struct buf *out, struct err *err)
{
    const struct candidate_part *part =
        &compiled->candidate->parts[step->predictor];
    json_t *inputs = NULL;
    bool ok;

    if (values != NULL &&
        !inputs_check_names(step->signature.inputs, step->signature.n_inputs,
                            values, err))
        return false;
    ok = prompt_prefix(step, part, compiled->settings.adapter, out, err);
    if (ok && values == NULL) {
        buf_putc(out, ']');
    } else if (ok) {
        inputs = complete_inputs(compiled->program, step, values, err);
        ok = inputs != NULL &&
             (part->nearest == 0 ||
              nearest_put_once(compiled->program,
                               &(struct nearest_pool){
                                   step, part, compiled->settings.adapter, -1},
                               inputs, out, err)) &&
             prompt_question(step, inputs, out, err);
    }
    json_decref(inputs);
    return ok && buf_ok(out, "the prompt", err);
}
