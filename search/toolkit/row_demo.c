#include "search/toolkit/row_demo.h"

#include "program/graph/type_check.h"

json_t *row_demo_label(const struct program *program,
                       const struct dataset *dataset, size_t row, int step,
                       size_t field, bool *no_memory)
{
    const struct field *output = &program->steps[step].signature.outputs[field];
    json_t *fields = dataset_fields(dataset, row);
    const json_t *value = program_label(program, fields, step, (int)field);
    json_t *label = NULL;

    if (value != NULL && type_check(&output->type, output->name, value, NULL))
        label = json_incref((json_t *)value);
    *no_memory = *no_memory || fields == NULL;
    json_decref(fields);
    return label;
}

bool row_demo_put(json_t *fields, const struct field *field,
                  const json_t *value, struct err *err)
{
    if (json_object_set(fields, field->name, (json_t *)value) == 0)
        return true;
    err_nomem(err, "a demo");
    return false;
}

static bool put_inputs(json_t *fields, const struct signature *signature,
                       const json_t *inputs, bool *whole, struct err *err)
{
    for (size_t i = 0; *whole && i < signature->n_inputs; i++) {
        const json_t *value =
            json_object_get(inputs, signature->inputs[i].name);
        *whole = value != NULL;
        if (*whole && !row_demo_put(fields, &signature->inputs[i], value, err))
            return false;
    }
    return true;
}

bool row_demo_of_run(const struct program *program,
                     const struct dataset *dataset,
                     const struct row_demo_run *run, struct demo *out,
                     struct err *err)
{
    const struct signature *signature = &program->steps[run->step].signature;
    bool whole = true;
    bool no_memory = false;
    json_t *fields = json_object();

    *out = (struct demo){.row = (int)run->row};
    if (fields == NULL) {
        err_nomem(err, "a demo");
        return false;
    }
    bool ok = put_inputs(fields, signature, run->inputs, &whole, err);
    for (size_t i = 0; ok && whole && i < signature->n_outputs; i++) {
        const struct field *field = &signature->outputs[i];
        json_t *value = row_demo_label(program, dataset, run->row, run->step, i,
                                       &no_memory);
        if (value == NULL) {
            value = json_incref(json_object_get(run->outputs, field->name));
            out->augmented = true;
        }
        whole =
            value != NULL && type_check(&field->type, field->name, value, NULL);
        ok = !whole || row_demo_put(fields, field, value, err);
        json_decref(value);
    }
    if (no_memory) {
        err_nomem(err, "a demo");
        ok = false;
    }
    if (ok && whole)
        out->fields = json_incref(fields);
    json_decref(fields);
    return ok;
}
