// compose: a JSON object built from values of other steps or of the inputs. Its
// entries are its inputs; computing it only passes them on.

#include <string.h>

#include "program/graph/kind.h"
#include "program/graph/step.h"

static const char *const keys[] = {NULL};

// A composed value is read by its bare name, as inputs are.
static bool declare(struct scope *scope, struct step *step,
                    const struct node *node)
{
    for (size_t i = 0; i < scope->program->n_inputs; i++) {
        if (strcmp(scope->program->inputs[i].name, step->name) != 0)
            continue;
        diag_add(scope->diags, DIAG_ERROR, "two-names", &step->place,
                 "`%s` is both an input of the program and a composed value: "
                 "rename one",
                 step->name);
        return false;
    }
    return step_check_map(scope, step, node_find(node, "compose"), "compose",
                          PROGRAM_MAX_FIELDS);
}

static bool resolve(struct scope *scope, struct step *step,
                    const struct node *node)
{
    const struct node *map = node_find(node, "compose");
    bool ok = true;

    if (!step_make_inputs(scope, step, map->n))
        return false;
    for (size_t i = 0; i < map->n; i++)
        ok = scope_check_name(scope, map->keys[i], "an entry",
                              &map->key_places[i]) &&
             step_add_input(scope, step, map->keys[i], map->items[i]) && ok;
    return ok;
}

static json_t *json(const struct program *program, const struct step *step)
{
    json_t *entries = step_inputs_json(program, step);

    return entries == NULL ? NULL : json_pack("{s:o}", "compose", entries);
}

static bool field(struct program *program, const struct step *step,
                  const char *name, struct field *out, struct err *err)
{
    const struct signature *signature = &step->signature;
    struct type *type = &out->type;

    *out = (struct field){.name = name, .desc = ""};
    *type =
        (struct type){.kind = TYPE_OBJECT, .min_length = -1, .max_length = -1};
    type->members = arena_array(&program->arena, signature->n_inputs,
                                sizeof *type->members);
    if (type->members == NULL) {
        err_nomem(err, "a composed value");
        return false;
    }
    for (; type->n_members < signature->n_inputs; type->n_members++) {
        size_t i = type->n_members;

        if (step_source_field(program, &step->sources[i],
                              signature->inputs[i].name, &type->members[i],
                              err))
            continue;
        field_release(out);
        return false;
    }
    return true;
}

static json_t *compute(const struct step *step, json_t *inputs)
{
    (void)step;
    return json_incref(inputs);
}

const struct step_kind step_compose = {
    .key = "compose",
    .keys = keys,
    .declare = declare,
    .resolve = resolve,
    .json = json,
    .whole = true,
    .field = field,
    .takes_null = true,
    .compute = compute,
    .dspy_remark = "its value is composed by the program that loads this file",
};
