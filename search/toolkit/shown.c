#include "search/toolkit/shown.h"

#include <string.h>

#include "common/json.h"
#include "common/utf8.h"
#include "program/graph/kind.h"
#include "program/graph/type_form.h"

// If part of a text could not be built, the whole could not either.
static void pass_failure(struct buf *out, const struct buf *part)
{
    if (!part->failed)
        return;
    out->failed = true;
    out->no_memory = part->no_memory;
}

static void put_field(struct buf *out, const struct field *field)
{
    struct buf type = BUF_INIT(SHOWN_MAX_BYTES);

    type_describe(&field->type, &type);
    buf_printf(out, "- %s", field->name);
    if (type.len > 0)
        buf_printf(out, " (%s)", type.data);
    if (field->desc != NULL && field->desc[0] != '\0')
        buf_printf(out, ": %s", field->desc);
    buf_putc(out, '\n');
    pass_failure(out, &type);
    buf_release(&type);
}

void shown_step(struct buf *out, const struct step *step)
{
    const struct signature *signature = &step->signature;

    buf_printf(out, "%s%s\ninputs:\n", step->name,
               step->kind->reasons ? ", which reasons before it answers" : "");
    for (size_t i = 0; i < signature->n_inputs; i++)
        put_field(out, &signature->inputs[i]);
    buf_puts(out, "outputs:\n");
    for (size_t i = 0; i < signature->n_outputs; i++)
        put_field(out, &signature->outputs[i]);
}

// Shows " <- classify.intent", or nothing for an input of the program with that
// name.
static void put_source(struct buf *out, const struct program *program,
                       struct source source, const char *name)
{
    if (source.step == SOURCE_INPUT) {
        const char *input = program->inputs[source.field].name;
        if (strcmp(input, name) != 0)
            buf_printf(out, " <- %s", input);
        return;
    }
    const struct step *from = &program->steps[source.step];
    buf_printf(out, " <- %s", from->name);
    if (source.field != SOURCE_WHOLE)
        buf_printf(out, ".%s", from->signature.outputs[source.field].name);
}

static void put_section(struct buf *out, const struct program *program,
                        const struct step *step)
{
    const struct signature *signature = &step->signature;

    buf_printf(out, "\n## %s (%s)\n", step->name, step->kind->key);
    if (signature->instruction != NULL)
        buf_printf(out, "%s\n", signature->instruction);
    buf_puts(out, "reads:\n");
    for (size_t i = 0; i < signature->n_inputs; i++) {
        buf_printf(out, "- %s", signature->inputs[i].name);
        put_source(out, program, step->sources[i], signature->inputs[i].name);
        buf_putc(out, '\n');
    }
    if (signature->n_outputs > 0)
        buf_puts(out, "gives:\n");
    for (size_t i = 0; i < signature->n_outputs; i++)
        put_field(out, &signature->outputs[i]);
}

void shown_program(struct buf *out, const struct program *program)
{
    buf_puts(out, "inputs:\n");
    for (size_t i = 0; i < program->n_inputs; i++)
        put_field(out, &program->inputs[i]);
    for (size_t i = 0; i < program->n_steps; i++)
        put_section(out, program, &program->steps[i]);
    buf_puts(out, "\noutputs:\n");
    for (size_t i = 0; i < program->n_outputs; i++) {
        buf_printf(out, "- %s", program->outputs[i].name);
        put_source(out, program, program->outputs[i].source,
                   program->outputs[i].name);
        buf_putc(out, '\n');
    }
}

void shown_text(struct buf *out, const char *text, size_t max)
{
    size_t len = strlen(text);
    size_t shown = len > max ? utf8_cut(text, max) : len;

    buf_append(out, text, shown);
    if (shown < len)
        buf_puts(out, "...");
}

void shown_fields(struct buf *out, const json_t *fields, size_t max)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)fields, key, value) {
        struct buf text = BUF_INIT(SHOWN_MAX_BYTES);
        value_put(value, &text);
        buf_printf(out, "%s: ", key);
        shown_text(out, text.data != NULL ? text.data : "", max);
        buf_putc(out, '\n');
        pass_failure(out, &text);
        buf_release(&text);
    }
}
