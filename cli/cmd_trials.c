#include "cli/command.h"
#include "cli/history_file.h"
#include "cli/listing.h"

static const char trials_sql[] =
    "SELECT trial, state, kind, score, n, candidate, instructions, demos,"
    " calls, tokens, started, finished FROM v_trials WHERE job = ?1"
    " ORDER BY trial";

static const struct grid_column columns[] = {
    {"TRIAL", "trial", GRID_COUNT, false},
    {"KIND", "kind", GRID_TEXT, false},
    {"STATE", "state", GRID_TEXT, false},
    {"SCORE", "score", GRID_PERCENT, false},
    {"N", "n", GRID_COUNT, false},
    {"CALLS", "calls", GRID_COUNT, false},
    {"TOKENS", "tokens", GRID_COUNT, false},
    {"INSTRUCTIONS", "instructions", GRID_PARTS, true},
    {"DEMO SETS", "demos", GRID_PARTS, true},
};

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    json_t *rows =
        history_file_rows(options, options->operands[0], trials_sql, &err);

    listing_parse(rows, "instructions");
    listing_parse(rows, "demos");
    return listing_print(options, rows, columns,
                         sizeof columns / sizeof *columns, "no trials yet",
                         &err);
}

const struct command_entry cmd_trials = {
    .name = "trials",
    .usage = "ID",
    .summary = "lists the trials of a job (its id, name or file)",
    .example = "promptcc trials customer-care --store promptcc.db",
    .options = OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_JSON),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
