#include <stdio.h>

#include "cli/ask.h"
#include "cli/command.h"
#include "cli/output.h"
#include "common/json.h"

enum { TEXT_BYTES = 4096 };

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    struct buf text = BUF_INIT(TEXT_BYTES);
    json_t *reply =
        ask_coordinator(options, "stop", options->operands[0], "", &err);
    int status;

    if (reply == NULL)
        return output_error(options, &err);
    if (option_on(options, OPT_JSON)) {
        status = output_json(reply);
    } else {
        buf_printf(&text,
                   "%s is stopped; `promptcc resume` or the same "
                   "`submit` goes on\n",
                   json_get_text(reply, "job", options->operands[0]));
        status = output_text(&text);
    }
    buf_release(&text);
    json_decref(reply);
    return status;
}

const struct command_entry cmd_stop = {
    .name = "stop",
    .usage = "ID",
    .summary = "stops a job of a cluster; its best so far is kept",
    .example = "promptcc stop customer-care --coordinator "
               "tcp://127.0.0.1:5570",
    .options = OPTION_BIT(OPT_COORDINATOR) | OPTION_BIT(OPT_JSON),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
