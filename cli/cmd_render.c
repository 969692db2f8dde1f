#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/given.h"
#include "cli/output.h"
#include "common/json.h"
#include "common/text.h"
#include "predict/compiled_file.h"
#include "program/prompt/prompt.h"

static const struct step *find_step(const struct program *program,
                                    const char *name, struct err *err)
{
    const char *names[PROGRAM_MAX_STEPS];
    struct buf list = BUF_INIT(160);
    const struct step *step = NULL;
    const char *near;

    for (size_t i = 0; i < program->n_predictors; i++) {
        names[i] = program_predictor(program, i)->name;
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
        if (strcmp(names[i], name) == 0)
            step = program_predictor(program, i);
    }
    near = text_nearest(name, names, program->n_predictors);
    if (step == NULL && near != NULL)
        err_set(err, ERR_INPUT,
                "there is no step `%.40s` that asks a model, did you mean "
                "`%s`?",
                name, near);
    else if (step == NULL)
        err_set(err, ERR_INPUT,
                "there is no step `%.40s` that asks a model; there are %s",
                name, list.data == NULL ? "none" : list.data);
    buf_release(&list);
    return step;
}

// Every input of the step, defaults filled, checked by its type.
static bool complete_inputs(const struct step *step, json_t *values,
                            struct err *err)
{
    const struct signature *signature = &step->signature;

    for (size_t i = 0; i < signature->n_inputs; i++) {
        const struct field *field = &signature->inputs[i];
        json_t *value = json_object_get(values, field->name);

        if (value == NULL && field->otherwise != NULL) {
            (void)json_object_set(values, field->name, field->otherwise);
        } else if (value == NULL) {
            err_set(err, ERR_INPUT,
                    "step `%s` needs `%s`: add %s=VALUE (no values at all "
                    "shows what comes before the question)",
                    step->name, field->name, field->name);
            return false;
        } else if (!type_check(&field->type, field->name, value, err)) {
            return false;
        }
    }
    return true;
}

// The array of messages, byte by byte as the model's server gets it. Without
// values: what is the same for all questions.
static bool render(const struct compiled *compiled, const struct step *step,
                   const char *const *words, size_t n, struct buf *out,
                   struct err *err)
{
    const struct candidate_part *part =
        &compiled->candidate->parts[step->predictor];
    json_t *values = given_values(step->signature.inputs,
                                  step->signature.n_inputs, words, n, err);
    bool ok = values != NULL &&
              prompt_prefix(step, part, compiled->settings.adapter, out, err);

    if (ok && n == 0)
        buf_putc(out, ']');
    else if (ok)
        ok = complete_inputs(step, values, err) &&
             prompt_question(step, values, out, err);
    json_decref(values);
    return ok && buf_ok(out, "the prompt", err);
}

// A message a paragraph, under a line that names its role.
static int print_messages(const struct buf *messages, struct err *err)
{
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES * 2);
    json_t *list =
        json_parse(messages->data, messages->len, PROMPT_MAX_BYTES * 2, err);
    int status = EXIT_FAILED;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *message = json_array_get(list, i);

        buf_printf(&text, "%s----- %s -----\n", i == 0 ? "" : "\n",
                   json_get_text(message, "role", "?"));
        buf_printf(&text, "%s\n", json_get_text(message, "content", ""));
    }
    if (list != NULL)
        status = output_text(&text);
    json_decref(list);
    buf_release(&text);
    return status;
}

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    struct compiled *compiled = compiled_file_read(options->operands[0], &err);
    const struct step *step =
        compiled == NULL
            ? NULL
            : find_step(compiled->program, options->operands[1], &err);
    struct buf messages = BUF_INIT(PROMPT_MAX_BYTES * 2);
    int status;

    if (step == NULL || !render(compiled, step, options->operands + 2,
                                options->n_operands - 2, &messages, &err)) {
        status = output_error(options, &err);
    } else if (option_on(options, OPT_JSON)) {
        buf_putc(&messages, '\n');
        status = output_json_text(&messages);
    } else {
        status = print_messages(&messages, &err);
    }
    buf_release(&messages);
    compiled_free(compiled);
    return status;
}

const struct command_entry cmd_render = {
    .name = "render",
    .usage = "COMPILED STEP [FIELD=VALUE...]",
    .summary = "prints the exact messages that the model would get",
    .example = "promptcc render compiled.json classify "
               "user_message=\"Where is my parcel?\" --json",
    .options = OPTION_BIT(OPT_JSON),
    .min_operands = 2,
    .max_operands = -1,
    .run = run,
};
