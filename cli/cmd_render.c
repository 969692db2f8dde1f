#include "cli/command.h"
#include "cli/given.h"
#include "cli/output.h"
#include "common/json.h"
#include "predict/compiled_file.h"
#include "predict/render.h"
#include "program/prompt/prompt.h"

// Appends the array of messages; without values, only the part that is the same
// for all questions.
static bool render(const struct compiled *compiled, const struct step *step,
                   const char *const *words, size_t n, struct buf *out,
                   struct err *err)
{
    json_t *values = given_values(step->signature.inputs,
                                  step->signature.n_inputs, words, n, err);
    bool ok = values != NULL &&
              render_step(compiled, step, n == 0 ? NULL : values, out, err);

    json_decref(values);
    return ok;
}

// Prints each message under a line that names its role.
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
            : render_find_step(compiled, options->operands[1], &err);
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
    .about = "Without values, it prints the part before the question.",
    .example = "promptcc render compiled.json classify "
               "user_message=\"Where is my parcel?\" --json",
    .options = OPTION_BIT(OPT_JSON),
    .min_operands = 2,
    .max_operands = -1,
    .document = "the array of messages, byte for byte",
    .run = run,
};
