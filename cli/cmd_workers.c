#include "cli/command.h"
#include "cli/history_file.h"
#include "cli/listing.h"

static const struct grid_column columns[] = {
    {"WORKER", "name", GRID_TEXT, false},
    {"STATE", "state", GRID_TEXT, false},
    {"SLOTS", "slots", GRID_COUNT, false},
    {"CALLS", "calls", GRID_COUNT, false},
    {"MODELS", "models", GRID_LIST, true},
    {"LAST FAULT", "last_fault", GRID_TEXT, true},
    {"WHY SO FEW CALLS", "reason", GRID_TEXT, true},
};

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    json_t *argument =
        json_pack("{s:b}", "all", (int)option_on(options, OPT_ALL));
    int status = listing_print(
        options, history_ask(options, "workers", NULL, argument, &err), columns,
        sizeof columns / sizeof *columns,
        "no workers: start one with `promptcc worker`, or look at those that "
        "are gone with --all",
        &err);

    json_decref(argument);
    return status;
}

const struct command_entry cmd_workers = {
    .name = "workers",
    .usage = "",
    .summary =
        "lists the workers of a cluster, or of the run that uses a store",
    .about = "With --all it also lists earlier ones that the store remembers.",
    .example = "promptcc workers --coordinator tcp://127.0.0.1:5570",
    .options = OPTIONS_HISTORY | OPTION_BIT(OPT_ALL) | OPTION_BIT(OPT_CSV) |
               OPTION_BIT(OPT_JSON),
    .max_operands = 0,
    .document = "a list of `name`, `state`, `slots`, `models`, `calls`, "
                "`last_fault`, `server`, `open` (calls in flight), `faults`, "
                "`reason`; the last three are null without --coordinator",
    .run = run,
};
