#include "program/graph/kind.h"

#include <string.h>

bool step_nomem(struct scope *scope)
{
    scope->diags->nomem = true;
    return false;
}

bool step_check_map(struct scope *scope, const struct step *step,
                    const struct node *map, const char *key, size_t max)
{
    if (map == NULL) {
        diag_add(scope->diags, DIAG_ERROR, "missing-key", &step->place,
                 "step `%s` has no `%s`", step->name, key);
        if (strcmp(key, "inputs") == 0)
            diag_remedy(scope->diags, "add what it reads, such as inputs: [%s]",
                        scope->program->n_inputs > 0
                            ? scope->program->inputs[0].name
                            : "message");
        if (strcmp(key, "outputs") == 0)
            diag_remedy(scope->diags,
                        "add what it gives, such as outputs: {topic: str}");
        return false;
    }
    if (map->kind != NODE_MAP || map->n == 0) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &map->place,
                 strcmp(key, "inputs") == 0
                     ? "`%s` of step `%s` must be a list of at least one name, "
                       "such as [message], or a map of names"
                     : "`%s` of step `%s` must be a map of at least one field",
                 key, step->name);
        return false;
    }
    if (map->n > max) {
        diag_add(scope->diags, DIAG_ERROR, "too-large", &map->place,
                 "step `%s` has %zu %s, more than %zu", step->name, map->n, key,
                 max);
        return false;
    }
    return true;
}

bool step_make_inputs(struct scope *scope, struct step *step, size_t n)
{
    struct arena *arena = &scope->program->arena;

    step->signature.inputs =
        arena_array(arena, n, sizeof *step->signature.inputs);
    step->sources = arena_array(arena, n, sizeof *step->sources);
    return (step->signature.inputs != NULL && step->sources != NULL) ||
           step_nomem(scope);
}

bool step_add_input(struct scope *scope, struct step *step, const char *name,
                    const struct node *node)
{
    struct signature *signature = &step->signature;
    struct arena *arena = &scope->program->arena;
    const char *what = arena_printf(arena, "step `%s`", step->name);

    name = arena_strdup(arena, name);
    if (what == NULL || name == NULL)
        return step_nomem(scope);
    if (!scope_resolve(scope, node, what, &step->sources[signature->n_inputs]))
        return false;
    signature->inputs[signature->n_inputs++].name = name;
    return true;
}

static json_t *source_json(const struct program *program,
                           const struct source *source)
{
    struct buf text = BUF_INIT(4096);

    source_put(program, source, &text);
    json_t *json = text.failed ? NULL : json_string(text.data);
    buf_release(&text);
    return json;
}

json_t *step_inputs_json(const struct program *program, const struct step *step)
{
    json_t *map = json_object();

    for (size_t i = 0; map != NULL && i < step->signature.n_inputs; i++)
        if (json_object_set_new(map, step->signature.inputs[i].name,
                                source_json(program, &step->sources[i])) != 0) {
            json_decref(map);
            map = NULL;
        }
    return map;
}
