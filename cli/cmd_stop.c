#include "cli/ask.h"
#include "cli/command.h"

static int run(const struct options *options)
{
    return ask_and_tell(options, "stop", "", NULL, " or the same `submit`");
}

const struct command_entry cmd_stop = {
    .name = "stop",
    .usage = "ID",
    .summary = "stops a job of a cluster; its best so far is kept",
    .about = "`resume` continues it.",
    .example = "promptcc stop customer-care --coordinator "
               "tcp://127.0.0.1:5570",
    .options = OPTIONS_THERE | OPTION_BIT(OPT_JSON),
    .min_operands = 1,
    .max_operands = 1,
    .document = "`job`, `state`",
    .run = run,
};
