#include <stdlib.h>
#include <string.h>

#include "cli/again.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/follow.h"
#include "cli/output.h"
#include "common/json.h"

enum { ROW_DIGITS = 9, TEXT_BYTES = 1 << 20 };

// {"exclude": [N...]} as text in out; empty when nothing is excluded.
static bool put_excluded(const struct options *options, struct buf *out,
                         struct err *err)
{
    const char *const *texts;
    size_t n = option_list(options, OPT_EXCLUDE, &texts);

    for (size_t i = 0; i < n; i++) {
        size_t digits = strspn(texts[i], "0123456789");

        if (texts[i][digits] != '\0' || digits > ROW_DIGITS) {
            err_set(err, ERR_INPUT,
                    "--exclude cannot be `%.40s`: it takes the number of an "
                    "example",
                    texts[i]);
            return false;
        }
        buf_printf(out, "%s%ld", i == 0 ? "{\"exclude\": [" : ", ",
                   strtol(texts[i], NULL, 10));
    }
    if (n > 0)
        buf_puts(out, "]}");
    return buf_ok(out, "--exclude", err);
}

static int resume_here(const struct options *options, const char *excluded)
{
    struct again again;
    int status = again_load(&again, options, options->operands[0]);

    if (status == EXIT_DONE) {
        struct follow follow = {
            .options = options,
            .file = &again.file,
            .store = again.store,
            .id = again.id,
            .exclude = excluded,
            .request = {.action = REQUEST_RUN,
                        .simulated = again.request->simulated,
                        .priority = again.request->priority,
                        .max_workers = again.request->max_workers,
                        .out = again.request->out}};

        status = follow_here(&follow);
    }
    again_release(&again);
    return status;
}

static int run(const struct options *options)
{
    struct buf excluded = BUF_INIT(TEXT_BYTES);
    struct err err = ERR_CLEAR;
    int status;

    if (!put_excluded(options, &excluded, &err))
        status = output_error(options, &err);
    else if (option_on(options, OPT_COORDINATOR))
        status =
            ask_and_tell(options, "resume",
                         excluded.data == NULL ? "" : excluded.data, "goes on");
    else
        status = resume_here(options, excluded.data);
    buf_release(&excluded);
    return status;
}

const struct command_entry cmd_resume = {
    .name = "resume",
    .usage = "ID",
    .summary = "continues a paused or stopped job, as it was submitted",
    .example = "promptcc resume customer-care --exclude 17",
    .options = OPTION_BIT(OPT_OLLAMA) | OPTION_BIT(OPT_OPENAI) | OPTIONS_WAIT |
               OPTIONS_PRINT | OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_OUT) |
               OPTION_BIT(OPT_EXCLUDE) | OPTIONS_THERE | OPTIONS_NOTIFY,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
