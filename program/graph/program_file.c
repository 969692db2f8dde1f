#include "program/graph/program.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "program/graph/kind.h"
#include "program/graph/scope.h"
#include "program/graph/step.h"
#include "program/graph/step_order.h"
#include "program/graph/type_form.h"
#include "program/source/yaml.h"

// The types of composed values are copied into each reader. This cap limits
// what a chain of them could grow to.
enum { PROGRAM_ARENA_MAX = 16 << 20 };

static struct program *program_new(void)
{
    struct program *program = calloc(1, sizeof *program);

    if (program != NULL)
        program->arena = ARENA_INIT(PROGRAM_ARENA_MAX);
    return program;
}

static bool nomem(struct scope *scope)
{
    scope->diags->nomem = true;
    return false;
}

// Returns the map at key of root. Returns NULL with a finding if it is missing,
// not a map, empty or larger than max.
static const struct node *need_map(struct scope *scope, const struct node *root,
                                   const char *key, size_t max,
                                   const char *example)
{
    const struct node *map = node_find(root, key);
    const struct place *place = map == NULL ? &root->place : &map->place;

    if (map == NULL)
        diag_add(scope->diags, DIAG_ERROR, "missing-key", place,
                 "the job has no `%s`: add it, such as %s", key, example);
    else if (map->kind != NODE_MAP || map->n == 0)
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", place,
                 "`%s` must be a map of names, such as %s", key, example);
    else if (map->n > max)
        diag_add(scope->diags, DIAG_ERROR, "too-large", place,
                 "there are %zu %s, more than %zu", map->n, key, max);
    else
        return map;
    return NULL;
}

static bool read_inputs(struct scope *scope, const struct node *root)
{
    const struct node *map =
        need_map(scope, root, "inputs", PROGRAM_MAX_FIELDS,
                 "inputs: {message: {desc: What the customer wrote}}");
    struct program *program = scope->program;
    bool ok = true;

    if (map == NULL)
        return false;
    program->inputs =
        arena_array(&program->arena, map->n, sizeof *program->inputs);
    if (program->inputs == NULL)
        return nomem(scope);
    for (size_t i = 0; i < map->n; i++) {
        ok = scope_check_column(scope, map->keys[i], "an input",
                                &map->key_places[i]) &&
             ok;
        ok = field_parse(&program->arena, map->keys[i], map->items[i],
                         &program->inputs[program->n_inputs++], scope->diags) &&
             ok;
    }
    return ok;
}

static bool declare_step(struct scope *scope, const struct node *map, size_t i)
{
    struct program *program = scope->program;
    struct step *step = &program->steps[i];

    scope->broken[i] = true; // until step_declare clears it
    step->name = arena_strdup(&program->arena, map->keys[i]);
    if (step->name == NULL ||
        !place_copy(&program->arena, &map->key_places[i], &step->place)) {
        step->name = "";
        return nomem(scope);
    }
    bool ok = scope_check_name(scope, map->keys[i], "a step", &step->place);
    return step_declare(scope, i, map->items[i]) && ok;
}

static bool read_steps(struct scope *scope, const struct node *map)
{
    struct program *program = scope->program;
    bool ok = true;

    program->steps =
        arena_array(&program->arena, map->n, sizeof *program->steps);
    if (program->steps == NULL)
        return nomem(scope);
    for (size_t i = 0; i < map->n; i++) {
        program->n_steps++;
        ok = declare_step(scope, map, i) && ok;
    }
    for (size_t i = 0; i < map->n; i++) {
        if (!scope->broken[i])
            ok = step_resolve(scope, i, map->items[i]) && ok;
    }
    return ok;
}

static bool add_output(struct scope *scope, const char *name, const char *from,
                       const struct place *place, const struct source *source)
{
    struct program *program = scope->program;
    struct program_output *output = &program->outputs[program->n_outputs];

    output->name = arena_strdup(&program->arena, name);
    output->source = *source;
    if (from != NULL)
        output->from = arena_strdup(&program->arena, from);
    if (output->name == NULL || (from != NULL && output->from == NULL) ||
        !place_copy(&program->arena, place, &output->place))
        return nomem(scope);
    program->n_outputs++;
    return true;
}

// Reads SOURCE, or {value: SOURCE, from: KEY}, where KEY is the key of its
// label in the data.
static bool read_output(struct scope *scope, const struct node *map, size_t i)
{
    static const char *const keys[] = {"value", "from"};
    const struct node *node = map->items[i];
    const struct node *value = node_find(node, "value");
    const struct node *from = node_find(node, "from");
    const char *key = NULL;
    struct source source = {0};
    size_t errors = scope->diags->errors;

    (void)scope_check_name(scope, map->keys[i], "an output",
                           &map->key_places[i]);
    if (value != NULL || from != NULL)
        node_only_keys(node, "an output", keys, 2, scope->diags);
    if (from != NULL && node_text(from, "`from`", &key, scope->diags) &&
        key[0] == '\0')
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &from->place,
                 "`from` of `%s` is empty: it must name the key of its label "
                 "in the data",
                 map->keys[i]);
    if (value == NULL && from != NULL)
        diag_add(scope->diags, DIAG_ERROR, "missing-key", &node->place,
                 "the output `%s` has no `value`: write {value: STEP.FIELD, "
                 "from: KEY}",
                 map->keys[i]);
    else
        (void)scope_resolve(scope, value != NULL ? value : node, "`outputs`",
                            &source);
    return scope->diags->errors == errors &&
           add_output(scope, map->keys[i], key, &map->key_places[i], &source);
}

// Without `outputs`, the program returns the outputs of its last step.
static bool take_last_step(struct scope *scope)
{
    struct program *program = scope->program;
    int last = (int)program->n_steps - 1;
    const struct step *step = &program->steps[last];
    size_t n = step->signature.n_outputs;

    program->outputs =
        arena_array(&program->arena, n + 1, sizeof *program->outputs);
    if (program->outputs == NULL)
        return nomem(scope);
    if (step->kind->whole)
        return add_output(scope, step->name, NULL, &step->place,
                          &(struct source){last, SOURCE_WHOLE});
    for (size_t i = step->kind->reasons; i < n; i++) {
        if (!add_output(scope, step->signature.outputs[i].name, NULL,
                        &step->place, &(struct source){last, (int)i}))
            return false;
    }
    return true;
}

static bool read_outputs(struct scope *scope, const struct node *root)
{
    struct program *program = scope->program;
    bool ok = true;

    if (node_find(root, "outputs") == NULL)
        return program->n_steps == 0 || scope->broken[program->n_steps - 1] ||
               take_last_step(scope);
    const struct node *map =
        need_map(scope, root, "outputs", PROGRAM_MAX_FIELDS,
                 "outputs: {topic: classify.topic}");
    if (map == NULL)
        return false;
    program->outputs =
        arena_array(&program->arena, map->n, sizeof *program->outputs);
    if (program->outputs == NULL)
        return nomem(scope);
    for (size_t i = 0; i < map->n; i++)
        ok = read_output(scope, map, i) && ok;
    return ok;
}

static bool number_predictors(struct program *program)
{
    program->predictors = arena_array(&program->arena, program->n_steps,
                                      sizeof *program->predictors);
    if (program->predictors == NULL)
        return false;
    for (size_t i = 0; i < program->n_steps; i++) {
        struct step *step = &program->steps[i];
        step->predictor = -1;
        if (!step->kind->predictor)
            continue;
        step->predictor = (int)program->n_predictors;
        program->predictors[program->n_predictors++] = (int)i;
    }
    return true;
}

static bool settle(struct program *program, struct err *err)
{
    if (!number_predictors(program)) {
        err_nomem(err, "a program");
        return false;
    }
    for (size_t i = 0; i < program->n_steps; i++) {
        if (!step_settle(program, (size_t)program->order[i], err))
            return false;
    }
    return true;
}

// Warns of steps that no output of the program depends on: they would cost
// calls in production and change nothing.
static void warn_unused(struct scope *scope)
{
    const struct program *program = scope->program;
    bool used[PROGRAM_MAX_STEPS] = {false};

    for (size_t i = 0; i < program->n_outputs; i++) {
        if (program->outputs[i].source.step != SOURCE_INPUT)
            used[program->outputs[i].source.step] = true;
    }
    for (size_t i = program->n_steps; i-- > 0;) {
        const struct step *step = &program->steps[program->order[i]];
        for (size_t j = 0; used[program->order[i]] && j < step_n_sources(step);
             j++) {
            if (step_source(step, j)->step != SOURCE_INPUT)
                used[step_source(step, j)->step] = true;
        }
    }
    for (size_t i = 0; i < program->n_steps; i++) {
        if (used[i])
            continue;
        diag_add(scope->diags, DIAG_WARNING, "unused-step",
                 &program->steps[i].place,
                 "no output of the program depends on step `%s`",
                 program->steps[i].name);
        diag_remedy(scope->diags,
                    "use one of its fields in `outputs`, or remove the step");
    }
}

static bool may_be_null(const struct program *program,
                        const struct source *source)
{
    if (source->step == SOURCE_INPUT)
        return program->inputs[source->field].type.optional;
    const struct step *step = &program->steps[source->step];
    return step->may_be_left_out ||
           (source->field != SOURCE_WHOLE &&
            step->signature.outputs[source->field].type.optional);
}

static bool is_only_null(const struct condition *condition)
{
    for (size_t i = 0; i < json_array_size(condition->values); i++) {
        if (!json_is_null(json_array_get(condition->values, i)))
            return false;
    }
    return true;
}

// Warns of steps that run only if something is null that never is.
static void warn_never_null(struct scope *scope)
{
    const struct program *program = scope->program;

    for (size_t i = 0; i < program->n_steps; i++) {
        const struct step *step = &program->steps[i];
        for (size_t j = 0; j < step->n_when; j++) {
            const struct condition *condition = &step->when[j];
            if (!is_only_null(condition) ||
                may_be_null(program, &condition->source))
                continue;
            diag_add(scope->diags, DIAG_WARNING, "never-runs", &step->place,
                     "step `%s` never runs: what its `when` compares with null "
                     "is never null",
                     step->name);
            diag_remedy(scope->diags, "write \"null\" in quotes if the text is "
                                      "meant, or remove the step");
        }
    }
}

static bool need_predictor(struct scope *scope, const struct node *root)
{
    if (scope->program->n_predictors > 0)
        return true;
    diag_add(scope->diags, DIAG_ERROR, "no-predictor",
             &node_find(root, "steps")->place,
             "no step asks a model: there must be a `predict` or a "
             "`chain_of_thought`");
    return false;
}

static bool parse_program(struct scope *scope, const struct node *root)
{
    struct err err = ERR_CLEAR;

    bool inputs_ok = read_inputs(scope, root);
    scope->broken_inputs = scope->program->inputs == NULL;
    const struct node *steps = need_map(
        scope, root, "steps", PROGRAM_MAX_STEPS,
        "steps: {classify: {predict: Say the topic., inputs: [message], "
        "outputs: {topic: str}}}");
    scope->broken_steps = steps == NULL;
    bool ok = steps != NULL && read_steps(scope, steps);
    if (!scope->broken_steps)
        ok = read_outputs(scope, root) && ok;
    if (scope->broken_steps || !step_order_make(scope) || !ok || !inputs_ok)
        return false;
    if (!settle(scope->program, &err))
        return nomem(scope);
    warn_unused(scope);
    warn_never_null(scope);
    return need_predictor(scope, root);
}

struct program *program_parse(const struct node *root, struct diags *diags)
{
    struct program *program = program_new();
    struct scope scope = {.program = program, .diags = diags};

    if (program == NULL) {
        diags->nomem = true;
        return NULL;
    }
    if (!parse_program(&scope, root)) {
        program_free(program);
        return NULL;
    }
    return program;
}

static bool copy_fields(struct arena *arena, const struct field *from, size_t n,
                        struct field *out, size_t *n_out, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!field_copy(arena, &from[i], &out[*n_out], err))
            return false;
        (*n_out)++;
    }
    return true;
}

// Allocates the empty arrays of a program of one step.
static bool lay_single(struct program *program,
                       const struct single_step *single)
{
    size_t n_inputs = single->n_inputs, n_outputs = single->n_outputs;
    struct arena *arena = &program->arena;
    struct step *step = arena_array(arena, 1, sizeof *step);

    if (step == NULL)
        return false;
    program->steps = step;
    program->n_steps = 1;
    program->order = arena_array(arena, 1, sizeof *program->order);
    program->inputs = arena_array(arena, n_inputs, sizeof *program->inputs);
    program->outputs = arena_array(arena, n_outputs, sizeof *program->outputs);
    step->name = arena_strdup(arena, single->name);
    step->signature.instruction = arena_strdup(arena, single->instruction);
    step->signature.inputs =
        arena_array(arena, n_inputs, sizeof *step->signature.inputs);
    step->sources = arena_array(arena, n_inputs, sizeof *step->sources);
    step->signature.outputs =
        arena_array(arena, n_outputs + 1, sizeof *step->signature.outputs);
    return program->order != NULL && program->inputs != NULL &&
           program->outputs != NULL && step->name != NULL &&
           step->signature.instruction != NULL &&
           step->signature.inputs != NULL && step->sources != NULL &&
           step->signature.outputs != NULL;
}

static bool fill_single(struct program *program,
                        const struct single_step *single, struct err *err)
{
    const struct step_kind *kind = single->kind;
    struct step *step = &program->steps[0];
    struct signature *signature = &step->signature;
    size_t first = kind->reasons;

    step->kind = kind;
    if (kind->reasons)
        signature->outputs[signature->n_outputs++] = step_reasoning();
    if (!copy_fields(&program->arena, single->inputs, single->n_inputs,
                     program->inputs, &program->n_inputs, err) ||
        !copy_fields(&program->arena, single->outputs, single->n_outputs,
                     signature->outputs, &signature->n_outputs, err))
        return false;
    for (size_t i = 0; i < single->n_inputs; i++) {
        step->sources[i] = (struct source){SOURCE_INPUT, (int)i};
        signature->inputs[i].name = program->inputs[i].name;
    }
    signature->n_inputs = single->n_inputs;
    for (size_t i = 0; i < single->n_outputs; i++)
        program->outputs[i] =
            (struct program_output){.name = signature->outputs[i + first].name,
                                    .source = {0, (int)(i + first)}};
    program->n_outputs = single->n_outputs;
    return settle(program, err);
}

struct program *program_single(const struct single_step *single,
                               struct err *err)
{
    struct program *program = program_new();

    if (program == NULL || !lay_single(program, single)) {
        program_free(program);
        err_nomem(err, "a program");
        return NULL;
    }
    if (!fill_single(program, single, err)) {
        program_free(program);
        return NULL;
    }
    return program;
}

static bool set_steps(json_t *map, const struct program *program)
{
    for (size_t i = 0; i < program->n_steps; i++) {
        if (json_object_set_new(map, program->steps[i].name,
                                step_json(program, &program->steps[i])) != 0)
            return false;
    }
    return true;
}

static json_t *declared_output(const struct program *program,
                               const struct program_output *output)
{
    struct buf text = BUF_INIT(4096);
    json_t *json = NULL;

    source_put(program, &output->source, &text);
    if (!text.failed && output->from == NULL)
        json = json_string(text.data);
    else if (!text.failed)
        json =
            json_pack("{s:s, s:s}", "value", text.data, "from", output->from);
    buf_release(&text);
    return json;
}

static bool set_outputs(json_t *map, const struct program *program)
{
    for (size_t i = 0; i < program->n_outputs; i++) {
        const struct program_output *output = &program->outputs[i];
        if (json_object_set_new(map, output->name,
                                declared_output(program, output)) != 0)
            return false;
    }
    return true;
}

json_t *program_json(const struct program *program)
{
    json_t *json = json_pack("{s:o, s:{}, s:{}}", "inputs",
                             fields_json(program->inputs, program->n_inputs),
                             "steps", "outputs");

    if (json != NULL && set_steps(json_object_get(json, "steps"), program) &&
        set_outputs(json_object_get(json, "outputs"), program))
        return json;
    json_decref(json);
    return NULL;
}

struct program *program_of_json(const json_t *json, const char *what,
                                struct err *err)
{
    struct arena arena = ARENA_INIT(64 << 20);
    struct diags *diags = diags_new(err);
    char *text = json_text(json);
    struct program *program = NULL;
    struct node *root = NULL;

    if (text == NULL && diags != NULL)
        err_nomem(err, "a program");
    if (text != NULL && diags != NULL)
        root = yaml_parse(&arena, what, text, strlen(text), diags);
    if (root != NULL)
        program = program_parse(root, diags);
    if (text != NULL && diags != NULL && program == NULL &&
        diags_ok(diags, err))
        err_nomem(err, "a program");
    free(text);
    diags_free(diags);
    arena_release(&arena);
    return program;
}

// Returns the type of an output.
static json_t *output_json(struct program *program, size_t output,
                           struct err *err)
{
    const struct program_output *of = &program->outputs[output];
    struct field field = {0};
    json_t *json = NULL;

    if (step_source_field(program, &of->source, of->name, &field, err))
        json = field_json(&field);
    field_release(&field);
    return json;
}

json_t *program_outputs_json(struct program *program, struct err *err)
{
    json_t *map = json_object();

    for (size_t i = 0; map != NULL && i < program->n_outputs; i++) {
        if (json_object_set_new(map, program->outputs[i].name,
                                output_json(program, i, err)) == 0)
            continue;
        json_decref(map);
        map = NULL;
    }
    return map;
}
