#include "program/graph/scope.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "program/graph/kind.h"

enum { REFERENCE_BYTES = 256, REFERENCES_BYTES = 1024 };

bool scope_check_name(struct scope *scope, const char *name, const char *what,
                      const struct place *place)
{
    if (!text_is_name(name)) {
        diag_add(scope->diags, DIAG_ERROR, "bad-name", place,
                 "`%s` cannot be the name of %s: use letters, digits and _, "
                 "and no digit first",
                 name, what);
        return false;
    }
    if (strcmp(name, "metadata") == 0) {
        diag_add(scope->diags, DIAG_ERROR, "reserved-name", place,
                 "`metadata` is reserved: %s needs another name", what);
        return false;
    }
    return true;
}

bool scope_check_column(struct scope *scope, const char *name, const char *what,
                        const struct place *place)
{
    if (scope_check_name(scope, name, what, place))
        return true;
    if (!text_is_name(name))
        diag_remedy(scope->diags,
                    "the data may keep that name: `NAME: {from: \"%s\"}`",
                    name);
    return false;
}

static int find_field(const struct field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

// Lists every reference that would be valid here, in the arena of the findings.
// Returns NULL when out of memory.
static const char **list_references(struct scope *scope, size_t *n)
{
    const struct program *program = scope->program;
    struct arena *arena = &scope->diags->arena;
    size_t cap = program->n_inputs;

    for (size_t i = 0; i < program->n_steps; i++)
        cap += 1 + program->steps[i].signature.n_outputs;
    const char **names = arena_array(arena, cap, sizeof *names);
    for (size_t i = 0; names != NULL && i < program->n_inputs; i++)
        names[(*n)++] = program->inputs[i].name;
    for (size_t i = 0; names != NULL && i < program->n_steps; i++) {
        const struct step *step = &program->steps[i];
        if (scope->broken[i])
            continue;
        if (step->kind->whole)
            names[(*n)++] = step->name;
        for (size_t j = 0; j < step->signature.n_outputs; j++) {
            const char *name = arena_printf(arena, "%s.%s", step->name,
                                            step->signature.outputs[j].name);
            if (name == NULL)
                return NULL;
            names[(*n)++] = name;
        }
    }
    return names;
}

// Finds STEP.FIELD for a bare FIELD, which is the most common slip.
static const char *find_qualified(const char *text, const char *const *names,
                                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *dot = strchr(names[i], '.');
        if (dot != NULL && strcmp(dot + 1, text) == 0)
            return names[i];
    }
    return NULL;
}

// Lists the references of the step that was named, if it exists; otherwise all.
static void suggest_references(struct scope *scope, const char *text,
                               const char *const *names, size_t n)
{
    struct buf list = BUF_INIT(REFERENCES_BYTES);
    size_t step = strcspn(text, ".") + 1;
    size_t some = 0;

    for (size_t i = 0; i < n; i++)
        some += strncmp(names[i], text, step) == 0;
    for (size_t i = 0; i < n; i++)
        if (some == 0 || strncmp(names[i], text, step) == 0)
            buf_printf(&list, "%s%s", list.len == 0 ? "" : ", ", names[i]);
    if (list.len > 0 && !list.failed)
        diag_remedy(scope->diags, "available here: %s", list.data);
    buf_release(&list);
}

static bool refuse_unknown(struct scope *scope, const struct node *node,
                           const char *what)
{
    size_t n = 0;
    const char **names = list_references(scope, &n);

    if (names == NULL) {
        scope->diags->nomem = true;
        return false;
    }
    const char *nearest = find_qualified(node->text, names, n);
    if (nearest == NULL)
        nearest = text_nearest(node->text, names, n);
    if (nearest != NULL)
        diag_add(scope->diags, DIAG_ERROR, "unknown-name", &node->place,
                 "%s reads `%s`, which does not exist; did you mean `%s`?",
                 what, node->text, nearest);
    else
        diag_add(scope->diags, DIAG_ERROR, "unknown-name", &node->place,
                 "%s reads `%s`, which is neither an input of the program nor "
                 "a field of a step",
                 what, node->text);
    if (nearest == NULL)
        suggest_references(scope, node->text, names, n);
    return false;
}

static bool refuse_whole_step(struct scope *scope, const struct node *node,
                              const struct step *step)
{
    const struct signature *signature = &step->signature;
    const char *field = signature->n_outputs == 0
                            ? "FIELD"
                            : signature->outputs[signature->n_outputs - 1].name;

    diag_add(scope->diags, DIAG_ERROR, "whole-step", &node->place,
             "`%s` is a step: name one of its fields, such as `%s.%s`",
             step->name, step->name, field);
    return false;
}

static bool resolve_bare(struct scope *scope, const struct node *node,
                         const char *what, struct source *out)
{
    const struct program *program = scope->program;
    int input = find_field(program->inputs, program->n_inputs, node->text);
    int step = program_find_step(program, node->text);

    if (input >= 0) {
        *out = (struct source){.step = SOURCE_INPUT, .field = input};
        return true;
    }
    if (step >= 0 && scope->broken[step])
        return false;
    if (step >= 0 && program->steps[step].kind->whole) {
        *out = (struct source){.step = step, .field = SOURCE_WHOLE};
        return true;
    }
    if (step >= 0)
        return refuse_whole_step(scope, node, &program->steps[step]);
    return !scope->broken_inputs && refuse_unknown(scope, node, what);
}

// Rejects a reference to an entry of a composed value. The user should name the
// entry's own source instead.
static bool refuse_entry(struct scope *scope, const struct node *node,
                         const struct step *step)
{
    diag_add(scope->diags, DIAG_ERROR, "composed-field", &node->place,
             "`%s` is a composed value and is read as a whole: name `%s`, or "
             "the field that the entry comes from",
             step->name, step->name);
    return false;
}

static bool resolve_dotted(struct scope *scope, const struct node *node,
                           const char *what, size_t dot, struct source *out)
{
    const struct program *program = scope->program;
    char name[REFERENCE_BYTES];

    if (dot >= sizeof name)
        return refuse_unknown(scope, node, what);
    memcpy(name, node->text, dot);
    name[dot] = '\0';
    int at = program_find_step(program, name);
    if (at < 0)
        return !scope->broken_steps && refuse_unknown(scope, node, what);
    const struct step *step = &program->steps[at];
    if (scope->broken[at])
        return false;
    if (step->kind->whole)
        return refuse_entry(scope, node, step);
    int field = find_field(step->signature.outputs, step->signature.n_outputs,
                           node->text + dot + 1);
    if (field < 0)
        return refuse_unknown(scope, node, what);
    *out = (struct source){.step = at, .field = field};
    return true;
}

bool scope_resolve(struct scope *scope, const struct node *node,
                   const char *what, struct source *out)
{
    if (node->kind != NODE_SCALAR) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &node->place,
                 "%s must read an input or a field such as `step.field`", what);
        return false;
    }
    size_t dot = strcspn(node->text, ".");
    if (node->text[dot] == '\0')
        return resolve_bare(scope, node, what, out);
    return resolve_dotted(scope, node, what, dot, out);
}

void source_put(const struct program *program, const struct source *source,
                struct buf *out)
{
    if (source->step == SOURCE_INPUT) {
        buf_puts(out, program->inputs[source->field].name);
        return;
    }
    const struct step *step = &program->steps[source->step];
    buf_puts(out, step->name);
    if (source->field != SOURCE_WHOLE) {
        buf_putc(out, '.');
        buf_puts(out, step->signature.outputs[source->field].name);
    }
}
