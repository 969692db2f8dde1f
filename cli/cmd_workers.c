#include "cli/ask.h"
#include "cli/command.h"
#include "cli/history_file.h"
#include "cli/listing.h"

static const char workers_sql[] =
    "SELECT name, state, slots, models, calls, last_fault, server FROM workers "
    "ORDER BY name";

static const struct grid_column columns[] = {
    {"WORKER", "name", GRID_TEXT, false},
    {"STATE", "state", GRID_TEXT, false},
    {"SLOTS", "slots", GRID_COUNT, false},
    {"CALLS", "calls", GRID_COUNT, false},
    {"MODELS", "models", GRID_LIST, true},
    {"LAST FAULT", "last_fault", GRID_TEXT, true},
};

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    json_t *rows;

    if (option_on(options, OPT_COORDINATOR)) {
        rows = ask_coordinator(options, "workers", "", "", &err);
    } else {
        rows = history_file_rows(options, NULL, workers_sql, &err);
        listing_parse(rows, "models");
    }
    return listing_print(options, rows, columns,
                         sizeof columns / sizeof *columns,
                         "no workers: start one with `promptcc worker`", &err);
}

const struct command_entry cmd_workers = {
    .name = "workers",
    .usage = "",
    .summary = "lists the workers of a cluster, or those that a store knows",
    .example = "promptcc workers --coordinator tcp://127.0.0.1:5570",
    .options = OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_COORDINATOR) |
               OPTION_BIT(OPT_JSON),
    .max_operands = 0,
    .run = run,
};
