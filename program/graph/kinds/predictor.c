// What all predictors share: an instruction, inputs from a map or a list, and
// typed outputs.

#include "program/graph/kind.h"

#include <string.h>

#include "common/fold.h"
#include "common/text.h"
#include "program/graph/type_form.h"

const char *const predictor_keys[] = {"inputs", "outputs", NULL};

// Returns true if the text contains {name}, or {{ name }} as in templates.
static bool has_placeholder(const char *text, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = text; (at = strchr(at, '{')) != NULL; at++) {
        const char *word = at + 1 + strspn(at + 1, " ");

        if (strncmp(word, name, len) == 0 &&
            word[len + strspn(word + len, " ")] == '}')
            return true;
    }
    return false;
}

// Warns of placeholders, which people know from other tools.
static void check_instruction(struct scope *scope, const struct step *step,
                              const struct node *value)
{
    const struct program *program = scope->program;

    for (size_t i = 0; i < program->n_inputs; i++) {
        const char *name = program->inputs[i].name;

        if (!has_placeholder(step->signature.instruction, name))
            continue;
        diag_add(scope->diags, DIAG_WARNING, "placeholder", &value->place,
                 "the instruction of step `%s` contains `{%s}`, which the "
                 "model sees unchanged: nothing is filled in",
                 step->name, name);
        diag_remedy(scope->diags,
                    "leave it out: the step's inputs come below the "
                    "instruction, each under its name");
        return;
    }
}

static bool read_instruction(struct scope *scope, struct step *step,
                             const struct node *node)
{
    const struct node *value = node_find(node, step->kind->key);
    const char *text = NULL;
    size_t len = 0;

    if (!node_sentence(value, "the instruction of a step", &text, scope->diags))
        return false;
    text = text_trim(text, strlen(text), &len);
    if (len == 0) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &value->place,
                 "the instruction of step `%s` is empty", step->name);
        return false;
    }
    step->signature.instruction =
        arena_strndup(&scope->program->arena, text, len);
    if (step->signature.instruction == NULL)
        return step_nomem(scope);
    check_instruction(scope, step, value);
    return true;
}

static bool check_output(struct scope *scope, const struct step *step,
                         const char *name, const struct node *node,
                         const struct place *place)
{
    const struct node *default_node = node_find(node, "default");
    bool ok = scope_check_column(scope, name, "a field", place);

    if (step->kind->reasons && strcmp(name, "reasoning") == 0) {
        diag_add(scope->diags, DIAG_ERROR, "reserved-name", place,
                 "`reasoning` is reserved in a %s, which adds it automatically",
                 step->kind->key);
        ok = false;
    }
    if (step->signature.instruction != NULL && fold_same(name, "completed")) {
        diag_add(scope->diags, DIAG_ERROR, "reserved-name", place,
                 "`%s` is reserved: it is the marker that ends an answer; this "
                 "output needs another name",
                 name);
        ok = false;
    }
    if (default_node != NULL) {
        diag_add(scope->diags, DIAG_ERROR, "bad-default", &default_node->place,
                 "only an input of the program may have a default");
        ok = false;
    }
    return ok;
}

struct field step_reasoning(void)
{
    return (struct field){
        .name = "reasoning",
        .desc = "Thoughts, step by step, that lead to the answer",
        .type = {.kind = TYPE_STR, .min_length = -1, .max_length = -1}};
}

bool step_declare_outputs(struct scope *scope, struct step *step,
                          const struct node *node)
{
    const struct node *map = node_find(node, "outputs");
    struct signature *signature = &step->signature;
    bool reasons = step->kind->reasons;
    bool ok = true;

    if (!step_check_map(scope, step, map, "outputs",
                        PROGRAM_MAX_FIELDS - (size_t)reasons))
        return false;
    struct arena *arena = &scope->program->arena;
    signature->outputs =
        arena_array(arena, map->n + 1, sizeof *signature->outputs);
    if (signature->outputs == NULL)
        return step_nomem(scope);
    if (reasons)
        signature->outputs[signature->n_outputs++] = step_reasoning();
    for (size_t i = 0; i < map->n; i++) {
        ok = check_output(scope, step, map->keys[i], map->items[i],
                          &map->key_places[i]) &&
             ok;
        ok = field_parse(arena, map->keys[i], map->items[i],
                         &signature->outputs[signature->n_outputs++],
                         scope->diags) &&
             ok;
    }
    return ok;
}

bool predictor_declare(struct scope *scope, struct step *step,
                       const struct node *node)
{
    bool ok = read_instruction(scope, step, node);

    return step_declare_outputs(scope, step, node) && ok;
}

static bool has_field(const struct field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return true;
    }
    return false;
}

// Checks the name of an input. It may be any name that is free in the step,
// since all of the step's fields share one prompt.
static bool check_input(struct scope *scope, const struct step *step,
                        const char *name, const struct place *place)
{
    const struct signature *signature = &step->signature;

    if (!scope_check_name(scope, name, "a field", place))
        return false;
    if (step->kind->reasons && strcmp(name, "reasoning") == 0)
        diag_add(
            scope->diags, DIAG_ERROR, "reserved-name", place,
            "`reasoning` is reserved in a %s: give this input another name",
            step->kind->key);
    else if (has_field(signature->outputs, signature->n_outputs, name))
        diag_add(scope->diags, DIAG_ERROR, "two-fields", place,
                 "`%s` is both an input and an output of step `%s`", name,
                 step->name);
    else if (has_field(signature->inputs, signature->n_inputs, name))
        diag_add(scope->diags, DIAG_ERROR, "duplicate-key", place,
                 "step `%s` reads `%s` twice", step->name, name);
    else
        return true;
    return false;
}

static bool add_input(struct scope *scope, struct step *step, const char *name,
                      const struct place *place, const struct node *node)
{
    return check_input(scope, step, name, place) &&
           step_add_input(scope, step, name, node);
}

// A name in a list may be meant as a field of another step. The finding that it
// was not found suggests STEP.FIELD, which a list does not allow; this replaces
// the suggestion by a map.
static void suggest_map(struct scope *scope, const char *name)
{
    const struct program *program = scope->program;
    const struct diags *diags = scope->diags;

    if (diags->n == 0 ||
        strcmp(diags->items[diags->n - 1].code, "unknown-name") != 0)
        return;
    for (size_t i = 0; i < program->n_steps; i++) {
        const struct signature *other = &program->steps[i].signature;

        if (!has_field(other->outputs, other->n_outputs, name))
            continue;
        diag_remedy(scope->diags,
                    "a field of another step needs a map, which gives it a "
                    "name: inputs: {%s: %s.%s}",
                    name, program->steps[i].name, name);
        return;
    }
}

// Reads an item of a list, whose source is the input of the same name.
static bool read_listed(struct scope *scope, struct step *step,
                        const struct node *item)
{
    if (item->kind != NODE_SCALAR) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &item->place,
                 "an item of `inputs` must be the name of an input");
        return false;
    }
    const char *dot = strchr(item->text, '.');
    if (dot != NULL) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &item->place,
                 "a field of another step needs a name here: write `inputs` as "
                 "a map with `%s: %s`",
                 dot + 1, item->text);
        return false;
    }
    if (add_input(scope, step, item->text, &item->place, item))
        return true;
    suggest_map(scope, item->text);
    return false;
}

// Reads an entry of `inputs`. A name without a value refers to the input, or
// composed value, of the same name.
static bool read_source(struct scope *scope, struct step *step,
                        const struct node *map, size_t i)
{
    struct node same = {.kind = NODE_SCALAR,
                        .text = map->keys == NULL ? "" : map->keys[i]};
    const struct node *value = map->items[i];

    if (map->kind == NODE_LIST)
        return read_listed(scope, step, value);
    same.place = map->key_places[i];
    return add_input(scope, step, map->keys[i], &map->key_places[i],
                     value->kind == NODE_NULL ? &same : value);
}

bool step_resolve_inputs(struct scope *scope, struct step *step,
                         const struct node *node)
{
    const struct node *map = node_find(node, "inputs");
    bool ok = true;

    bool list = map != NULL && map->kind == NODE_LIST && map->n > 0 &&
                map->n <= PROGRAM_MAX_FIELDS;
    if (!list &&
        !step_check_map(scope, step, map, "inputs", PROGRAM_MAX_FIELDS))
        return false;
    if (!step_make_inputs(scope, step, map->n))
        return false;
    for (size_t i = 0; i < map->n; i++)
        ok = read_source(scope, step, map, i) && ok;
    return ok;
}

json_t *step_outputs_json(const struct step *step)
{
    size_t from = step->kind->reasons;

    return fields_json(step->signature.outputs + from,
                       step->signature.n_outputs - from);
}

json_t *predictor_step_json(const struct program *program,
                            const struct step *step)
{
    json_t *inputs = step_inputs_json(program, step);
    json_t *outputs = step_outputs_json(step);

    if (inputs != NULL && outputs != NULL)
        return json_pack("{s:s, s:o, s:o}", step->kind->key,
                         step->signature.instruction, "inputs", inputs,
                         "outputs", outputs);
    json_decref(inputs);
    json_decref(outputs);
    return NULL;
}
