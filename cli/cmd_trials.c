#include "cli/command.h"
#include "cli/history_file.h"
#include "cli/listing.h"

static const struct grid_column columns[] = {
    {"TRIAL", "trial", GRID_COUNT, false},
    {"KIND", "kind", GRID_TEXT, false},
    {"STATE", "state", GRID_TEXT, false},
    {"SCORE", "score", GRID_PERCENT, false},
    {"BASELINE", "baseline", GRID_PERCENT, false},
    {"N", "n", GRID_COUNT, false},
    {"CALLS", "calls", GRID_COUNT, false},
    {"TOKENS", "tokens", GRID_COUNT, false},
    {"INSTRUCTIONS", "instructions", GRID_CHOICES, true},
    {"DEMO SETS", "demos", GRID_CHOICES, true},
    {"TUNED", "tuned", GRID_VALUES, true},
};

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;

    return listing_print(
        options,
        history_ask(options, "trials", history_operand(options), NULL, &err),
        columns, sizeof columns / sizeof *columns, "no trials yet", &err);
}

const struct command_entry cmd_trials = {
    .name = "trials",
    .usage = "[ID]",
    .summary = "lists the trials of a job and their scores",
    .example = "promptcc trials customer-care --store promptcc.db",
    .options = OPTIONS_HISTORY | OPTION_BIT(OPT_CSV) | OPTION_BIT(OPT_JSON),
    .max_operands = 1,
    .document =
        "a list of `trial`, `state`, `kind` (`baseline`, `minibatch`, `full`), "
        "`score`, `low` and `high` (its interval), `baseline` (its score on "
        "the same rows), `n`, `candidate`, `instructions`, `demos`, `tuned` "
        "(what it chose of the job's tunables), `calls`, `tokens`, `started`, "
        "`finished`",
    .run = run,
};
