#include "search/toolkit/classes.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/fold.h"
#include "common/text.h"
#include "program/graph/type_form.h"

enum { VALUE_BYTES = 1 << 16, LONG_VALUE = 60 };

static void release_field(struct class_field *field)
{
    for (size_t i = 0; i < field->n; i++)
        free(field->values[i]);
    free(field->values);
    free(field->of_row);
}

void classes_release(struct classes *classes)
{
    for (size_t i = 0; i < classes->n_fields; i++)
        release_field(&classes->fields[i]);
    free(classes->fields);
    *classes = (struct classes){0};
}

int classes_find(const struct class_field *field, const char *value)
{
    for (size_t i = 0; i < field->n; i++)
        if (fold_same(field->values[i], value))
            return (int)i;
    return -1;
}

static bool add_value(struct class_field *field, const char *text)
{
    char **more =
        realloc(field->values, (field->n + 1) * sizeof *field->values);

    if (more == NULL)
        return false;
    field->values = more;
    field->values[field->n] = strdup(text);
    if (field->values[field->n] == NULL)
        return false;
    field->n++;
    return true;
}

// Returns the row's label as it appears in a prompt, or NULL if it has none.
static const char *read_label(const struct program *program,
                              const struct dataset *dataset, int step,
                              int field, size_t row, struct buf *text)
{
    json_t *fields = dataset_fields(dataset, row);
    const json_t *value = program_label(program, fields, step, field);
    bool has = value != NULL && !json_is_null(value);

    buf_clear(text);
    if (has)
        value_put(value, text);
    if (fields == NULL)
        text->failed = text->no_memory = true;
    json_decref(fields);
    return has ? text->data : NULL;
}

// Reads a field. Sets *few if its values are few enough to be classes; stops
// reading when there are too many. Returns false when out of memory.
static bool read_field(const struct program *program,
                       const struct dataset *dataset, int step,
                       struct row_span rows, struct class_field *field,
                       bool *few)
{
    const struct field *output =
        &program->steps[step].signature.outputs[field->field];
    bool declared =
        output->type.kind == TYPE_ENUM || output->type.kind == TYPE_BOOL;
    struct buf text = BUF_INIT(VALUE_BYTES);
    size_t labelled = 0;
    bool ok = true;

    *few = true;
    for (size_t i = 0; ok && *few && i < rows.n; i++) {
        const char *value = read_label(program, dataset, step, field->field,
                                       rows.rows[i], &text);

        field->of_row[i] = -1;
        if (value == NULL)
            continue;
        labelled++;
        field->of_row[i] = classes_find(field, value);
        if (field->of_row[i] >= 0)
            continue;
        field->of_row[i] = (int)field->n;
        ok = add_value(field, value) && !text.no_memory;
        *few = declared ||
               (field->n <= CLASSES_MAX && strlen(value) <= LONG_VALUE);
    }
    *few = *few && labelled > 0 && field->n > 0 &&
           (declared || field->n * CLASSES_SHARE_MOST <= labelled);
    buf_release(&text);
    return ok;
}

bool classes_read(const struct program *program, const struct dataset *dataset,
                  int step, struct row_span rows, struct classes *out,
                  struct err *err)
{
    const struct signature *signature = &program->steps[step].signature;
    bool ok;

    *out = (struct classes){.n_rows = rows.n};
    out->fields = calloc(signature->n_outputs + 1, sizeof *out->fields);
    ok = out->fields != NULL;
    for (size_t f = 0; ok && f < signature->n_outputs; f++) {
        struct class_field field = {.field = (int)f,
                                    .name = signature->outputs[f].name,
                                    .of_row = calloc(rows.n + 1, sizeof(int))};
        bool few = false;

        ok = field.of_row != NULL &&
             read_field(program, dataset, step, rows, &field, &few);
        if (ok && few)
            out->fields[out->n_fields++] = field;
        else
            release_field(&field);
    }
    if (ok)
        return true;
    classes_release(out);
    err_nomem(err, "the labels of the examples");
    return false;
}

size_t classes_count(const struct classes *classes)
{
    size_t n = 0;

    for (size_t i = 0; i < classes->n_fields; i++)
        n += classes->fields[i].n;
    return n;
}
