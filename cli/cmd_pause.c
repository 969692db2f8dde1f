#include "cli/ask.h"
#include "cli/command.h"

static int run(const struct options *options)
{
    return ask_and_tell(options, "pause", "", NULL, "");
}

const struct command_entry cmd_pause = {
    .name = "pause",
    .usage = "ID",
    .summary = "pauses a job of a cluster, so that its workers serve others",
    .about = "`resume` continues it.",
    .example = "promptcc pause customer-care --coordinator "
               "tcp://127.0.0.1:5570",
    .options = OPTIONS_THERE | OPTION_BIT(OPT_JSON),
    .min_operands = 1,
    .max_operands = 1,
    .document = "`job`, `state`",
    .run = run,
};
