#include "program/graph/step.h"

#include <string.h>

#include "common/text.h"

struct step_row {
    const char *key;
    enum step_kind kind;
    bool predictor; // has inputs, outputs and an instruction
    bool (*declare)(struct scope *, struct step *, const struct node *);
    bool (*resolve)(struct scope *, struct step *, const struct node *);
    json_t *(*json)(const struct program *, const struct step *);
};

static bool nomem(struct scope *scope)
{
    scope->diags->nomem = true;
    return false;
}

static bool read_instruction(struct scope *scope, struct step *step,
                             const struct node *node, const char *key)
{
    const struct node *value = node_find(node, key);
    const char *text = NULL;
    size_t len = 0;

    if (!node_text(value, "the instruction of a step", &text, scope->diags))
        return false;
    text = text_trim(text, strlen(text), &len);
    if (len == 0) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &value->place,
                 "the instruction of step `%s` is empty", step->name);
        return false;
    }
    step->signature.instruction =
        arena_strndup(&scope->program->arena, text, len);
    return step->signature.instruction != NULL || nomem(scope);
}

static bool check_output(struct scope *scope, const struct step *step,
                         const char *name, const struct node *node,
                         const struct place *place)
{
    const struct node *otherwise = node_find(node, "default");
    bool ok = scope_check_name(scope, name, "a field", place);

    if (step->kind == STEP_CHAIN_OF_THOUGHT && strcmp(name, "reasoning") == 0) {
        diag_add(scope->diags, DIAG_ERROR, "reserved-name", place,
                 "`reasoning` is reserved in a chain_of_thought, which has it "
                 "by itself");
        ok = false;
    }
    if (otherwise != NULL) {
        diag_add(scope->diags, DIAG_ERROR, "bad-default", &otherwise->place,
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

// A map of 1 to max things, or a finding.
static bool check_map(struct scope *scope, const struct step *step,
                      const struct node *map, const char *key, size_t max)
{
    if (map == NULL) {
        diag_add(scope->diags, DIAG_ERROR, "missing-key", &step->place,
                 "step `%s` has no `%s`", step->name, key);
        return false;
    }
    if (map->kind != NODE_MAP || map->n == 0) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &map->place,
                 "`%s` of step `%s` must be a map of one field or more", key,
                 step->name);
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

static bool read_outputs(struct scope *scope, struct step *step,
                         const struct node *node)
{
    const struct node *map = node_find(node, "outputs");
    struct signature *signature = &step->signature;
    bool chain = step->kind == STEP_CHAIN_OF_THOUGHT;
    bool ok = true;

    if (!check_map(scope, step, map, "outputs",
                   PROGRAM_MAX_FIELDS - (size_t)chain))
        return false;
    struct arena *arena = &scope->program->arena;
    signature->outputs =
        arena_array(arena, map->n + 1, sizeof *signature->outputs);
    if (signature->outputs == NULL)
        return nomem(scope);
    if (chain)
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

static bool declare_predict(struct scope *scope, struct step *step,
                            const struct node *node)
{
    const char *key =
        step->kind == STEP_PREDICT ? "predict" : "chain_of_thought";
    bool ok = read_instruction(scope, step, node, key);

    return read_outputs(scope, step, node) && ok;
}

static bool has_field(const struct field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return true;
    }
    return false;
}

// An input's name is free in the step: its fields stand in one prompt.
static bool check_input(struct scope *scope, const struct step *step,
                        const char *name, const struct place *place)
{
    const struct signature *signature = &step->signature;

    if (!scope_check_name(scope, name, "a field", place))
        return false;
    if (step->kind == STEP_CHAIN_OF_THOUGHT && strcmp(name, "reasoning") == 0)
        diag_add(scope->diags, DIAG_ERROR, "reserved-name", place,
                 "`reasoning` is reserved in a chain_of_thought, give this "
                 "input another name");
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

// An input called name, read from what node says.
static bool add_input(struct scope *scope, struct step *step, const char *name,
                      const struct place *place, const struct node *node)
{
    struct signature *signature = &step->signature;
    struct arena *arena = &scope->program->arena;

    if (!check_input(scope, step, name, place))
        return false;
    const char *what = arena_printf(arena, "step `%s`", step->name);
    name = arena_strdup(arena, name);
    if (what == NULL || name == NULL)
        return nomem(scope);
    if (!scope_resolve(scope, node, what, &step->sources[signature->n_inputs]))
        return false;
    signature->inputs[signature->n_inputs++].name = name;
    return true;
}

// An item of a list is read from the input of its name.
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
                 "a field of another step needs a name of its own here: write "
                 "`inputs` as a map with `%s: %s`",
                 dot + 1, item->text);
        return false;
    }
    return add_input(scope, step, item->text, &item->place, item);
}

// A name without a value is read from the input, or composed value, of that
// name.
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

static bool resolve_predict(struct scope *scope, struct step *step,
                            const struct node *node)
{
    const struct node *map = node_find(node, "inputs");
    struct arena *arena = &scope->program->arena;
    bool ok = true;

    bool list = map != NULL && map->kind == NODE_LIST && map->n > 0 &&
                map->n <= PROGRAM_MAX_FIELDS;
    if (!list && !check_map(scope, step, map, "inputs", PROGRAM_MAX_FIELDS))
        return false;
    step->signature.inputs =
        arena_array(arena, map->n, sizeof *step->signature.inputs);
    step->sources = arena_array(arena, map->n, sizeof *step->sources);
    if (step->signature.inputs == NULL || step->sources == NULL)
        return nomem(scope);
    for (size_t i = 0; i < map->n; i++)
        ok = read_source(scope, step, map, i) && ok;
    return ok;
}

static bool declare_compose(struct scope *scope, struct step *step,
                            const struct node *node)
{
    for (size_t i = 0; i < scope->program->n_inputs; i++) {
        if (strcmp(scope->program->inputs[i].name, step->name) != 0)
            continue;
        diag_add(scope->diags, DIAG_ERROR, "two-names", &step->place,
                 "`%s` is both an input of the program and a composed value, "
                 "rename one",
                 step->name);
        return false;
    }
    return check_map(scope, step, node_find(node, "compose"), "compose",
                     PROGRAM_MAX_FIELDS);
}

static bool resolve_compose(struct scope *scope, struct step *step,
                            const struct node *node)
{
    const struct node *map = node_find(node, "compose");
    struct arena *arena = &scope->program->arena;
    bool ok = true;

    step->entries = arena_array(arena, map->n, sizeof *step->entries);
    const char *what = arena_printf(arena, "step `%s`", step->name);
    if (step->entries == NULL || what == NULL)
        return nomem(scope);
    for (size_t i = 0; i < map->n; i++) {
        struct compose_entry *entry = &step->entries[step->n_entries];
        if (!scope_check_name(scope, map->keys[i], "an entry",
                              &map->key_places[i]) ||
            !scope_resolve(scope, map->items[i], what, &entry->source)) {
            ok = false;
            continue;
        }
        entry->key = arena_strdup(arena, map->keys[i]);
        if (entry->key == NULL)
            return nomem(scope);
        step->n_entries++;
    }
    return ok;
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

static bool set_inputs(json_t *map, const struct program *program,
                       const struct step *step)
{
    for (size_t i = 0; i < step->signature.n_inputs; i++) {
        if (json_object_set_new(map, step->signature.inputs[i].name,
                                source_json(program, &step->sources[i])) != 0)
            return false;
    }
    return true;
}

static bool set_outputs(json_t *map, const struct step *step)
{
    size_t i = step->kind == STEP_CHAIN_OF_THOUGHT ? 1 : 0;

    for (; i < step->signature.n_outputs; i++) {
        const struct field *field = &step->signature.outputs[i];
        if (json_object_set_new(map, field->name, field_json(field)) != 0)
            return false;
    }
    return true;
}

static json_t *predict_json(const struct program *program,
                            const struct step *step)
{
    const char *key =
        step->kind == STEP_PREDICT ? "predict" : "chain_of_thought";
    json_t *json = json_pack("{s:s, s:{}, s:{}}", key,
                             step->signature.instruction, "inputs", "outputs");

    if (json != NULL &&
        set_inputs(json_object_get(json, "inputs"), program, step) &&
        set_outputs(json_object_get(json, "outputs"), step))
        return json;
    json_decref(json);
    return NULL;
}

static json_t *compose_json(const struct program *program,
                            const struct step *step)
{
    json_t *json = json_pack("{s:{}}", "compose");
    json_t *map = json_object_get(json, "compose");

    for (size_t i = 0; json != NULL && i < step->n_entries; i++) {
        const struct compose_entry *entry = &step->entries[i];
        if (json_object_set_new(map, entry->key,
                                source_json(program, &entry->source)) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

// Rows stand in the order of enum step_kind; those behind it are known names
// that this version cannot run.
static const struct step_row step_kinds[] = {
    {"predict", STEP_PREDICT, true, declare_predict, resolve_predict,
     predict_json},
    {"chain_of_thought", STEP_CHAIN_OF_THOUGHT, true, declare_predict,
     resolve_predict, predict_json},
    {"compose", STEP_COMPOSE, false, declare_compose, resolve_compose,
     compose_json},
    {.key = "retrieve"},
    {.key = "exec"},
};
enum { STEP_KINDS = sizeof step_kinds / sizeof step_kinds[0] };

static void refuse_no_kind(struct scope *scope, const struct step *step,
                           const struct node *node)
{
    static const char *const keys[] = {
        "predict", "chain_of_thought", "compose", "retrieve",
        "exec",    "inputs",           "outputs", "when"};
    size_t before = scope->diags->errors;

    node_only_keys(node, "a step", keys, sizeof keys / sizeof keys[0],
                   scope->diags);
    if (scope->diags->errors == before)
        diag_add(scope->diags, DIAG_ERROR, "missing-key", &step->place,
                 "step `%s` does nothing: it needs one of `predict`, "
                 "`chain_of_thought`, `compose`",
                 step->name);
}

static const struct step_row *
find_row(struct scope *scope, const struct step *step, const struct node *node)
{
    const struct step_row *row = NULL;

    for (size_t i = 0; i < STEP_KINDS; i++) {
        const struct node *value = node_find(node, step_kinds[i].key);
        if (value == NULL)
            continue;
        if (row != NULL) {
            diag_add(scope->diags, DIAG_ERROR, "two-kinds", &value->place,
                     "step `%s` is both `%s` and `%s`, make it two steps",
                     step->name, row->key, step_kinds[i].key);
            return NULL;
        }
        row = &step_kinds[i];
    }
    if (row == NULL)
        refuse_no_kind(scope, step, node);
    if (row != NULL && row->declare == NULL) {
        diag_add(scope->diags, DIAG_ERROR, "not-supported",
                 &node_find(node, row->key)->place,
                 "a step of kind `%s` is not supported by this version",
                 row->key);
        return NULL;
    }
    return row;
}

static bool check_keys(struct scope *scope, const struct step_row *row,
                       const struct node *node)
{
    const char *keys[] = {row->key, "when", "inputs", "outputs"};
    const struct node *when = node_find(node, "when");
    size_t before = scope->diags->errors;

    node_only_keys(node, row->predictor ? "a step" : "a `compose` step", keys,
                   row->predictor ? 4 : 2, scope->diags);
    if (when != NULL)
        diag_add(scope->diags, DIAG_ERROR, "not-supported", &when->place,
                 "`when` is not supported by this version");
    return scope->diags->errors == before;
}

bool step_declare(struct scope *scope, size_t at, const struct node *node)
{
    struct step *step = &scope->program->steps[at];

    scope->broken[at] = true;
    if (node->kind != NODE_MAP) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &node->place,
                 "step `%s` must be a map with one of `predict`, "
                 "`chain_of_thought`, `compose`",
                 step->name);
        return false;
    }
    const struct step_row *row = find_row(scope, step, node);
    if (row == NULL)
        return false;
    step->kind = row->kind;
    bool ok = check_keys(scope, row, node);
    ok = row->declare(scope, step, node) && ok;
    scope->broken[at] = row->predictor ? step->signature.outputs == NULL : !ok;
    return ok;
}

bool step_resolve(struct scope *scope, size_t at, const struct node *node)
{
    struct step *step = &scope->program->steps[at];

    return step_kinds[step->kind].resolve(scope, step, node);
}

size_t step_source_count(const struct step *step)
{
    return step->kind == STEP_COMPOSE ? step->n_entries
                                      : step->signature.n_inputs;
}

const struct source *step_source(const struct step *step, size_t i)
{
    return step->kind == STEP_COMPOSE ? &step->entries[i].source
                                      : &step->sources[i];
}

// A composed value: an object of what its entries hold.
static bool composed_field(struct program *program, const struct step *step,
                           const char *name, struct field *out, struct err *err)
{
    *out = (struct field){.name = name, .desc = ""};
    out->type =
        (struct type){.kind = TYPE_OBJECT, .min_length = -1, .max_length = -1};
    out->type.members = arena_array(&program->arena, step->n_entries,
                                    sizeof *out->type.members);
    if (out->type.members == NULL) {
        err_nomem(err, "a composed value");
        return false;
    }
    for (; out->type.n_members < step->n_entries; out->type.n_members++) {
        const struct compose_entry *entry = &step->entries[out->type.n_members];
        if (step_source_field(program, &entry->source, entry->key,
                              &out->type.members[out->type.n_members], err))
            continue;
        field_release(out);
        return false;
    }
    return true;
}

bool step_source_field(struct program *program, const struct source *source,
                       const char *name, struct field *out, struct err *err)
{
    const struct field *from = NULL;

    if (source->step == SOURCE_INPUT)
        from = &program->inputs[source->field];
    else if (source->field != SOURCE_WHOLE)
        from = &program->steps[source->step].signature.outputs[source->field];
    else
        return composed_field(program, &program->steps[source->step], name, out,
                              err);
    if (!field_copy(&program->arena, from, out, err))
        return false;
    json_decref(out->otherwise); // a default belongs to the program's input
    out->otherwise = NULL;
    out->name = name;
    return true;
}

bool step_settle(struct program *program, size_t at, struct err *err)
{
    struct step *step = &program->steps[at];
    struct signature *signature = &step->signature;

    for (size_t i = 0; i < signature->n_inputs; i++) {
        struct field field = {0};
        if (!step_source_field(program, &step->sources[i],
                               signature->inputs[i].name, &field, err))
            return false;
        signature->inputs[i] = field;
    }
    return true;
}

json_t *step_json(const struct program *program, const struct step *step)
{
    return step_kinds[step->kind].json(program, step);
}

void step_release(struct step *step)
{
    for (size_t i = 0; i < step->signature.n_inputs; i++)
        field_release(&step->signature.inputs[i]);
    for (size_t i = 0; i < step->signature.n_outputs; i++)
        field_release(&step->signature.outputs[i]);
}
