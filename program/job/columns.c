#include "program/job/columns.h"

#include <stdlib.h>
#include <string.h>

#include "program/job/columns_state.h"
#include "program/metric/metric.h"

enum { ARENA_BYTES = 4 << 20, MAX_LABELS = PROGRAM_MAX_FIELDS + 1 };

// A composed value.
static const struct type composed = {.kind = TYPE_OBJECT};

// Returns the `from` of the field that an output returns, or NULL.
static const char *source_from(const struct program *program,
                               const struct source *source)
{
    if (source->field == SOURCE_WHOLE || source->step == SOURCE_INPUT)
        return NULL;
    return program->steps[source->step].signature.outputs[source->field].from;
}

struct column *columns_find(const struct columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->n; i++)
        if (strcmp(columns->items[i].name, name) == 0)
            return &columns->items[i];
    return NULL;
}

static void add_column(struct columns *columns, const char *name,
                       const char *from, const struct type *type,
                       const struct field *input)
{
    if (columns_find(columns, name) == NULL)
        columns->items[columns->n++] =
            (struct column){.name = name,
                            .from = from == NULL ? name : from,
                            .type = type,
                            .input = input};
}

// Returns the type that an output has, or is at least similar to.
static const struct type *output_like(const struct program *program,
                                      size_t output)
{
    const struct type *type =
        step_source_type(program, &program->outputs[output].source);

    return type != NULL ? type : &composed;
}

static void add_outputs(struct columns *columns)
{
    const struct program *program = columns->program;

    for (size_t i = 0; i < program->n_outputs; i++) {
        const struct program_output *output = &program->outputs[i];
        const char *from = output->from != NULL
                               ? output->from
                               : source_from(program, &output->source);
        const struct type *type = step_source_type(program, &output->source);
        add_column(columns, output->name, from, type, NULL);
        if (type == NULL)
            columns_find(columns, output->name)->like = &composed;
        if (output->source.step != SOURCE_INPUT)
            columns_find(columns, output->name)->may_be_null =
                program->steps[output->source.step].may_be_left_out;
    }
}

// Returns true if the program returns a field; its label is then found under
// the name of that output.
static bool is_returned(const struct program *program, size_t step,
                        size_t field)
{
    for (size_t i = 0; i < program->n_outputs; i++) {
        const struct source *source = &program->outputs[i].source;
        if (source->step == (int)step && source->field == (int)field)
            return true;
    }
    return false;
}

static bool add_step(struct columns *columns, size_t at)
{
    const struct step *step = &columns->program->steps[at];

    for (size_t i = 0; i < step->signature.n_outputs; i++) {
        const struct field *field = &step->signature.outputs[i];
        const char *name =
            arena_printf(&columns->arena, "%s.%s", step->name, field->name);
        if (name == NULL)
            return false;
        add_column(columns, name,
                   is_returned(columns->program, at, i) ? NULL : field->from,
                   &field->type, NULL);
    }
    return true;
}

static void add_labels(struct columns *columns, const char *const *labels,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add_column(columns, labels[i], NULL, NULL, NULL);
        columns_find(columns, labels[i])->needed = true;
    }
}

static void note_compared(struct columns *columns, const struct metric *metric)
{
    struct metric_label labels[MAX_LABELS];
    size_t n = metric_labelled(metric, labels, MAX_LABELS);

    for (size_t i = 0; i < n; i++) {
        struct column *column = columns_find(columns, labels[i].label);
        if (column != NULL && column->type == NULL && column->like == NULL)
            column->like = output_like(columns->program, labels[i].output);
    }
}

static bool fill_columns(struct columns *columns, const struct metric *metric)
{
    const struct program *program = columns->program;
    const char *labels[MAX_LABELS];
    size_t n_labels =
        metric == NULL ? 0 : metric_labels(metric, labels, MAX_LABELS);
    size_t room = program->n_inputs + program->n_outputs + n_labels;

    for (size_t i = 0; i < program->n_steps; i++)
        room += program->steps[i].signature.n_outputs;
    columns->items =
        arena_array(&columns->arena, room + 1, sizeof *columns->items);
    columns->wanted =
        arena_array(&columns->arena, room + 1, sizeof *columns->wanted);
    if (columns->items == NULL || columns->wanted == NULL)
        return false;
    for (size_t i = 0; i < program->n_inputs; i++)
        add_column(columns, program->inputs[i].name, program->inputs[i].from,
                   &program->inputs[i].type, &program->inputs[i]);
    add_outputs(columns);
    for (size_t i = 0; i < program->n_steps; i++)
        if (!add_step(columns, i))
            return false;
    add_labels(columns, labels, n_labels);
    if (metric != NULL)
        note_compared(columns, metric);
    return true;
}

static struct columns *make_columns(const struct program *program,
                                    const struct metric *metric,
                                    bool only_inputs, struct err *err)
{
    struct columns *columns = calloc(1, sizeof *columns);

    if (columns != NULL) {
        columns->arena = ARENA_INIT(ARENA_BYTES);
        columns->program = program;
        columns->only_inputs = only_inputs;
        if (!fill_columns(columns, metric)) {
            columns_free(columns);
            columns = NULL;
        }
    }
    if (columns == NULL) {
        err_nomem(err, "the columns of a program");
        return NULL;
    }
    for (size_t i = 0; i < columns->n; i++) {
        const struct column *column = &columns->items[i];
        if (column->input != NULL || column->needed ||
            column->from != column->name)
            columns->wanted[columns->n_wanted++] = column->from;
    }
    return columns;
}

struct columns *columns_new(const struct program *program,
                            const struct metric *metric, struct err *err)
{
    return make_columns(program, metric, false, err);
}

struct columns *columns_new_inputs(const struct program *program,
                                   struct err *err)
{
    return make_columns(program, NULL, true, err);
}

void columns_free(struct columns *columns)
{
    if (columns == NULL)
        return;
    arena_release(&columns->arena);
    free(columns);
}

bool columns_have(const struct columns *columns, const char *name)
{
    return columns_find(columns, name) != NULL;
}

bool columns_know(const struct columns *columns, const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < columns->n; i++) {
        const struct column *column = &columns->items[i];
        if (strcmp(column->name, key) == 0 || strcmp(column->from, key) == 0 ||
            (strncmp(column->from, key, len) == 0 && column->from[len] == '.'))
            return true;
    }
    return false;
}

const char *const *columns_wanted(const struct columns *columns, size_t *n)
{
    *n = columns->n_wanted;
    return columns->wanted;
}
