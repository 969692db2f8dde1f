// exec: a user's program computes the outputs. It is given a line of JSON,
// {"inputs": {...}}, and answers with a line, {"outputs": {...}}.
//
// An answer that lacks an output, or gives one of the wrong type, is a mistake
// of the program and says nothing about the model. It is therefore a fault,
// like a missing answer, and never a score.

#include <string.h>

#include "common/json.h"
#include "program/graph/kind.h"
#include "program/graph/step.h"
#include "program/graph/type_check.h"

enum { ANSWER_MAX_BYTES = 16 << 20 };

static const char *const keys[] = {"inputs", "outputs", NULL};
static const char *const exec_keys[] = {"command", "timeout"};

// Reads the outputs from an answer, in the order of the step; all must be
// present and of their types. New reference; NULL: ERR_PROTOCOL says why.
static json_t *read_outputs(const struct step *step, const char *text,
                            size_t len, struct err *err)
{
    struct err why = ERR_CLEAR;
    json_t *answer = json_parse(text, len, ANSWER_MAX_BYTES, &why);
    const json_t *given = json_object_get(answer, "outputs");
    json_t *outputs = json_is_object(given) ? json_object() : NULL;

    if (answer == NULL)
        err_set(err, ERR_PROTOCOL, "%s", why.text);
    else if (!json_is_object(given))
        err_set(err, ERR_PROTOCOL,
                "expected {\"outputs\": {...}} with the outputs of the step");
    for (size_t i = 0; outputs != NULL && i < step->signature.n_outputs; i++) {
        const struct field *field = &step->signature.outputs[i];
        json_t *value = json_object_get(given, field->name);

        if (value == NULL && field->type.optional)
            value = json_null();
        if (value == NULL)
            err_set(&why, ERR_INPUT, "the output `%s` is missing", field->name);
        if (value != NULL &&
            type_check(&field->type, field->name, value, &why) &&
            json_object_set(outputs, field->name, value) == 0)
            continue;
        err_set(err, ERR_PROTOCOL, "%s", why.text);
        json_decref(outputs);
        outputs = NULL;
    }
    json_decref(answer);
    return outputs;
}

static bool is_answer(const void *of, const char *text, size_t len,
                      struct err *err)
{
    json_t *outputs = read_outputs(of, text, len, err);

    json_decref(outputs);
    return outputs != NULL;
}

static bool read_command(struct scope *scope, struct step *step,
                         const struct node *map)
{
    struct arena *arena = &scope->program->arena;
    struct user_command *command = arena_alloc(arena, sizeof *command);

    if (command == NULL)
        return step_nomem(scope);
    if (map->kind != NODE_MAP) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &map->place,
                 "`exec` of step `%s` must be a map with `command`",
                 step->name);
        diag_remedy(scope->diags,
                    "write exec: {command: [python3, program.py]}");
        return false;
    }
    node_only_keys(map, "`exec`", exec_keys, 2, scope->diags);
    bool ok = user_command_read(arena, map, scope->diags, command);
    command->what = arena_printf(arena, "the command of step `%s`", step->name);
    command->check = is_answer;
    command->of = step;
    step->command = command;
    return (command->what != NULL || step_nomem(scope)) && ok;
}

static bool declare(struct scope *scope, struct step *step,
                    const struct node *node)
{
    bool ok = read_command(scope, step, node_find(node, "exec"));

    return step_declare_outputs(scope, step, node) && ok;
}

static json_t *json(const struct program *program, const struct step *step)
{
    json_t *command = json_object();
    json_t *inputs = step_inputs_json(program, step);
    json_t *outputs = step_outputs_json(step);

    if (command != NULL && inputs != NULL && outputs != NULL &&
        user_command_put(step->command, command))
        return json_pack("{s:o, s:o, s:o}", "exec", command, "inputs", inputs,
                         "outputs", outputs);
    json_decref(command);
    json_decref(inputs);
    json_decref(outputs);
    return NULL;
}

static bool ask(const struct step *step, const json_t *values,
                const json_t *inputs, struct buf *text, struct ask *out,
                struct err *err)
{
    (void)values;
    out->answerer = ANSWERER_EXEC;
    out->command = step->command;
    buf_puts(text, "{\"inputs\":");
    json_put(text, inputs);
    buf_putc(text, '}');
    return buf_ok(text, step->command->what, err);
}

static bool answered(const struct step *step, const struct call_answer *answer,
                     json_t **outputs, struct err *err)
{
    *outputs = read_outputs(step, answer->text, answer->text_len, err);
    return *outputs != NULL;
}

const struct step_kind step_exec = {
    .key = "exec",
    .keys = keys,
    .declare = declare,
    .resolve = step_resolve_inputs,
    .json = json,
    .ask = ask,
    .answered = answered,
    .dspy_remark = "its outputs come from a program of yours, which the "
                   "program that loads this file must call",
};
