#include "program/graph/step.h"

#include "program/graph/kind.h"
#include "program/graph/type_check.h"

static const struct step_kind *const kinds[] = {
#define STEP_KIND(name) &step_##name,
#include "program/graph/kinds/kinds.def"
#undef STEP_KIND
};
enum { STEP_KINDS = sizeof kinds / sizeof kinds[0] };

enum {
    MAX_KEYS = 16, // in a step
    MAX_CONDITIONS = 16,
};

// --- finding the row ---

// "`predict`, `chain_of_thought`, `compose`"
static const char *list_kinds(struct scope *scope)
{
    const char *list = "";

    for (size_t i = 0; list != NULL && i < STEP_KINDS; i++)
        list = arena_printf(&scope->diags->arena, "%s%s`%s`", list,
                            i > 0 ? ", " : "", kinds[i]->key);
    return list != NULL ? list : "";
}

static void refuse_no_kind(struct scope *scope, const struct step *step,
                           const struct node *node)
{
    const char *keys[STEP_KINDS + 3] = {"inputs", "outputs", "when"};
    size_t before = scope->diags->errors;

    for (size_t i = 0; i < STEP_KINDS; i++)
        keys[3 + i] = kinds[i]->key;
    node_only_keys(node, "a step", keys, STEP_KINDS + 3, scope->diags);
    if (scope->diags->errors == before)
        diag_add(scope->diags, DIAG_ERROR, "missing-key", &step->place,
                 "step `%s` does nothing: it needs one of %s", step->name,
                 list_kinds(scope));
}

static const struct step_kind *
find_kind(struct scope *scope, const struct step *step, const struct node *node)
{
    const struct step_kind *kind = NULL;

    for (size_t i = 0; i < STEP_KINDS; i++) {
        const struct node *value = node_find(node, kinds[i]->key);
        if (value == NULL)
            continue;
        if (kind != NULL) {
            diag_add(scope->diags, DIAG_ERROR, "two-kinds", &value->place,
                     "step `%s` is both `%s` and `%s`: make it two steps",
                     step->name, kind->key, kinds[i]->key);
            return NULL;
        }
        kind = kinds[i];
    }
    if (kind == NULL)
        refuse_no_kind(scope, step, node);
    return kind;
}

static bool check_keys(struct scope *scope, const struct step_kind *kind,
                       const struct node *node)
{
    const char *keys[MAX_KEYS] = {kind->key, "when"};
    const char *what =
        arena_printf(&scope->diags->arena, "a `%s` step", kind->key);
    size_t before = scope->diags->errors;
    size_t n = 2;

    for (size_t i = 0; kind->keys[i] != NULL; i++)
        keys[n++] = kind->keys[i];
    node_only_keys(node, what == NULL ? "a step" : what, keys, n, scope->diags);
    return scope->diags->errors == before;
}

// --- when ---

// Returns the field whose values a condition compares; NULL for a composed
// value.
static const struct field *condition_field(const struct program *program,
                                           const struct source *source)
{
    if (source->step == SOURCE_INPUT)
        return &program->inputs[source->field];
    return source->field == SOURCE_WHOLE
               ? NULL
               : &program->steps[source->step].signature.outputs[source->field];
}

// Returns the value that is compared. For a str or an enum it is the text as
// written, as in `enum: [1, 2]`.
static json_t *condition_value(const struct node *node,
                               const struct field *field)
{
    bool text = node->kind == NODE_SCALAR && field != NULL &&
                (field->type.kind == TYPE_STR || field->type.kind == TYPE_ENUM);

    return text ? json_string(node->text) : node_json(node);
}

// Adds a value that the field can have. Null is always allowed, since any step
// can give it. A composed value is an object, which equals nothing else.
static bool add_value(struct scope *scope, const struct node *node,
                      const struct field *field, json_t *values)
{
    struct err why = ERR_CLEAR;
    json_t *value = condition_value(node, field);

    if (node->kind == NODE_LIST || node->kind == NODE_MAP)
        err_set(&why, ERR_INPUT,
                "a value of `when` cannot be a map or a nested list");
    else if (value != NULL && !json_is_null(value) && field == NULL)
        err_set(&why, ERR_INPUT,
                "a composed value can only be compared with null");
    else if (value != NULL && !json_is_null(value))
        (void)type_check(&field->type, field->name, value, &why);
    if (why.code != ERR_NONE) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &node->place, "%s",
                 why.text);
        diag_remedy(scope->diags,
                    "the step runs only if the field has this value, so give a "
                    "value that the field can have");
        json_decref(value);
        return false;
    }
    return json_array_append_new(values, value) == 0 || step_nomem(scope);
}

static bool read_condition(struct scope *scope, struct step *step,
                           const struct node *map, size_t i)
{
    struct condition *condition = &step->when[step->n_when];
    const struct node *value = map->items[i];
    struct node name = {
        .kind = NODE_SCALAR, .text = map->keys[i], .place = map->key_places[i]};
    const char *what =
        arena_printf(&scope->diags->arena, "`when` of step `%s`", step->name);
    bool ok = true;

    if (what == NULL)
        return step_nomem(scope);
    if (!scope_resolve(scope, &name, what, &condition->source))
        return false;
    condition->values = json_array();
    if (condition->values == NULL)
        return step_nomem(scope);
    step->n_when++;
    const struct field *field =
        condition_field(scope->program, &condition->source);
    if (value->kind != NODE_LIST)
        return add_value(scope, value, field, condition->values);
    if (value->n == 0) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &value->place,
                 "step `%s` would never run: this list has no value",
                 step->name);
        diag_remedy(scope->diags, "list the values with which it runs");
        return false;
    }
    for (size_t k = 0; k < value->n; k++)
        ok = add_value(scope, value->items[k], field, condition->values) && ok;
    return ok;
}

// Reads {STEP.FIELD: VALUE, ...}, where VALUE may be a list of alternatives.
static bool read_when(struct scope *scope, struct step *step,
                      const struct node *map)
{
    bool ok = true;

    if (map == NULL)
        return true;
    if (!step_check_map(scope, step, map, "when", MAX_CONDITIONS))
        return false;
    step->when =
        arena_array(&scope->program->arena, map->n, sizeof *step->when);
    if (step->when == NULL)
        return step_nomem(scope);
    for (size_t i = 0; i < map->n; i++)
        ok = read_condition(scope, step, map, i) && ok;
    return ok;
}

static json_t *when_json(const struct program *program, const struct step *step)
{
    json_t *map = json_object();

    for (size_t i = 0; map != NULL && i < step->n_when; i++) {
        const struct condition *one = &step->when[i];
        struct buf name = BUF_INIT(4096);

        source_put(program, &one->source, &name);
        if (name.failed || json_object_set(map, name.data, one->values) != 0) {
            json_decref(map);
            map = NULL;
        }
        buf_release(&name);
    }
    return map;
}

// --- the three phases ---

bool step_declare(struct scope *scope, size_t at, const struct node *node)
{
    struct step *step = &scope->program->steps[at];

    if (node->kind != NODE_MAP) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &node->place,
                 "step `%s` must be a map with one of %s", step->name,
                 list_kinds(scope));
        return false;
    }
    const struct step_kind *kind = find_kind(scope, step, node);
    if (kind == NULL)
        return false;
    step->kind = kind;
    bool ok = check_keys(scope, kind, node);
    ok = kind->declare(scope, step, node) && ok;
    // Once its outputs are read, others may refer to the step, whatever else is
    // wrong with it.
    scope->broken[at] = step->signature.outputs == NULL && !ok;
    return ok;
}

bool step_resolve(struct scope *scope, size_t at, const struct node *node)
{
    struct step *step = &scope->program->steps[at];
    bool ok = step->kind->resolve(scope, step, node);

    return read_when(scope, step, node_find(node, "when")) && ok;
}

static bool needs_what_may_be(const struct program *program,
                              const struct step *step)
{
    for (size_t i = 0; i < step->signature.n_inputs; i++) {
        int from = step->sources[i].step;

        if (from != SOURCE_INPUT && program->steps[from].may_be_left_out &&
            !step->kind->takes_null && !step->signature.inputs[i].type.optional)
            return true;
    }
    return false;
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
    step->may_be_left_out =
        step->n_when > 0 || needs_what_may_be(program, step);
    return true;
}

json_t *step_json(const struct program *program, const struct step *step)
{
    json_t *json = step->kind->json(program, step);

    if (json != NULL && step->n_when > 0 &&
        json_object_set_new(json, "when", when_json(program, step)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}
