#include "program/graph/program.h"

#include <stdlib.h>
#include <string.h>

#include "program/graph/kind.h"
#include "program/graph/search_spec.h"
#include "program/graph/type_check.h"
#include "program/graph/type_form.h"
#include "program/graph/value.h"

enum { KEY_BYTES = 256 }; // for STEP.FIELD

static void release_step(struct step *step)
{
    if (step->search != NULL)
        json_decref(step->search->fields);
    for (size_t i = 0; i < step->n_when; i++)
        json_decref(step->when[i].values);
    for (size_t i = 0; i < step->signature.n_inputs; i++)
        field_release(&step->signature.inputs[i]);
    for (size_t i = 0; i < step->signature.n_outputs; i++)
        field_release(&step->signature.outputs[i]);
}

void program_free(struct program *program)
{
    if (program == NULL)
        return;
    for (size_t i = 0; i < program->n_inputs; i++)
        field_release(&program->inputs[i]);
    for (size_t i = 0; i < program->n_steps; i++)
        release_step(&program->steps[i]);
    arena_release(&program->arena);
    free(program);
}

int program_find_step(const struct program *program, const char *name)
{
    for (size_t i = 0; i < program->n_steps; i++) {
        if (strcmp(program->steps[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

size_t step_n_sources(const struct step *step)
{
    return step->signature.n_inputs + step->n_when;
}

const struct source *step_source(const struct step *step, size_t i)
{
    return i < step->signature.n_inputs
               ? &step->sources[i]
               : &step->when[i - step->signature.n_inputs].source;
}

bool condition_holds(const struct condition *condition, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(condition->values); i++)
        if (value_equal(value == NULL ? json_null() : value,
                        json_array_get(condition->values, i)))
            return true;
    return false;
}

const struct step *program_predictor(const struct program *program, size_t i)
{
    return &program->steps[program->predictors[i]];
}

void predictor_dspy_name(const struct step *step, struct buf *out)
{
    buf_puts(out, step->name);
    buf_puts(out, step->kind->dspy.suffixes[0]);
}

const json_t *program_label(const struct program *program,
                            const json_t *example, int step, int field)
{
    const struct step *at = &program->steps[step];
    struct buf key = BUF_INIT(KEY_BYTES);

    for (size_t i = 0; i < program->n_outputs; i++) {
        const struct source *source = &program->outputs[i].source;
        if (source->step != step || source->field != field)
            continue;
        const json_t *label =
            json_object_get(example, program->outputs[i].name);
        if (label != NULL)
            return label;
    }
    if (field == SOURCE_WHOLE)
        return json_object_get(example, at->name);
    buf_printf(&key, "%s.%s", at->name, at->signature.outputs[field].name);
    const json_t *label =
        key.failed ? NULL : json_object_get(example, key.data);
    buf_release(&key);
    return label;
}

bool program_may_tune(const struct program *program, int step, const char *key)
{
    const char *const *keys =
        step < 0 ? NULL : program->steps[step].kind->tunables;

    for (; keys != NULL && *keys != NULL; keys++)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

const char *const search_by_names[] = {"words", "embeddings", NULL};

void step_query(const struct step *step, const json_t *inputs, struct buf *out)
{
    for (size_t i = 0; i < step->signature.n_inputs; i++) {
        const json_t *value =
            json_object_get(inputs, step->signature.inputs[i].name);

        buf_puts(out, i > 0 ? "\n" : "");
        if (value != NULL)
            value_put(value, out);
    }
}

const json_t *step_value(const struct step *step, const json_t *values,
                         const char *key)
{
    struct buf name = BUF_INIT(KEY_BYTES);
    const json_t *value = NULL;

    if (json_object_size(values) == 0)
        return NULL;
    buf_printf(&name, "%s.%s", step->name, key);
    if (!name.failed)
        value = json_object_get(values, name.data);
    buf_release(&name);
    return value;
}

bool program_check_tunable(const struct program *program, const char *name,
                           const json_t *value, struct err *err)
{
    for (size_t i = 0; i < program->n_steps; i++) {
        const struct step *step = &program->steps[i];
        size_t len = strlen(step->name);

        if (strncmp(step->name, name, len) != 0 || name[len] != '.' ||
            !program_may_tune(program, (int)i, name + len + 1))
            continue;
        return step->kind->may_be(program, step, name + len + 1, value, err);
    }
    err_set(err, ERR_INPUT, "`%.60s` cannot be tuned", name);
    return false;
}

// Returns the value of an input: the one given, else its default, else null if
// it is optional. Borrowed. Returns NULL and sets err if there is none or it
// does not fit.
static const json_t *input_value(const struct field *input,
                                 const json_t *values, const json_t *null,
                                 struct err *err)
{
    const json_t *value = json_object_get(values, input->name);

    if (value == NULL)
        value = input->default_value;
    if (value == NULL && input->type.optional)
        value = null;
    if (value == NULL) {
        err_set(err, ERR_INPUT, "the input `%s` is missing", input->name);
        return NULL;
    }
    return type_check(&input->type, input->name, value, err) ? value : NULL;
}

json_t *program_inputs(const struct program *program, const json_t *values,
                       struct err *err)
{
    json_t *inputs = json_object();
    json_t *null = json_null();

    for (size_t i = 0; inputs != NULL && i < program->n_inputs; i++) {
        const struct field *input = &program->inputs[i];
        const json_t *value = input_value(input, values, null, err);
        if (value == NULL) {
            json_decref(inputs);
            return NULL;
        }
        // Only the reference count of value changes.
        if (json_object_set(inputs, input->name, (json_t *)value) != 0) {
            json_decref(inputs);
            inputs = NULL;
        }
    }
    if (inputs == NULL)
        err_nomem(err, "inputs");
    return inputs;
}

const struct type *step_source_type(const struct program *program,
                                    const struct source *source)
{
    if (source->field == SOURCE_WHOLE)
        return NULL;
    if (source->step == SOURCE_INPUT)
        return &program->inputs[source->field].type;
    return &program->steps[source->step].signature.outputs[source->field].type;
}

bool step_source_field(struct program *program, const struct source *source,
                       const char *name, struct field *out, struct err *err)
{
    const struct field *from = NULL;

    if (source->step == SOURCE_INPUT) {
        from = &program->inputs[source->field];
    } else {
        const struct step *step = &program->steps[source->step];
        if (source->field == SOURCE_WHOLE)
            return step->kind->field(program, step, name, out, err);
        from = &step->signature.outputs[source->field];
    }
    if (!field_copy(&program->arena, from, out, err))
        return false;
    json_decref(out->default_value); // a default belongs to the program's input
    out->default_value = NULL;
    out->name = name;
    return true;
}
