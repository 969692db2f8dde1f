#include "cli/ask.h"
#include "cli/command.h"
#include "cli/history_file.h"
#include "cli/listing.h"

static const char jobs_sql[] = "SELECT job, state, nullif(score, -1.0) AS "
                               "score, reason, simulated, trials, wall_s, path,"
                               " updated FROM v_jobs ORDER BY updated DESC";

static const struct grid_column columns[] = {
    {"JOB", "job", GRID_TEXT, false},
    {"STATE", "state", GRID_TEXT, false},
    {"SCORE", "score", GRID_PERCENT, false},
    {"TRIALS", "trials", GRID_COUNT, false},
    {"UPDATED", "updated", GRID_TIME, false},
    {"REASON", "reason", GRID_TEXT, true},
};

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    json_t *rows;

    if (option_on(options, OPT_COORDINATOR)) {
        rows = ask_coordinator(options, "jobs", "", "", &err);
    } else {
        rows = history_file_rows(options, NULL, jobs_sql, &err);
        listing_bool(rows, "simulated");
    }
    return listing_print(options, rows, columns,
                         sizeof columns / sizeof *columns,
                         "no jobs yet: `promptcc run JOB` makes one", &err);
}

const struct command_entry cmd_jobs = {
    .name = "jobs",
    .usage = "",
    .summary = "lists the jobs of a store or a cluster",
    .example = "promptcc jobs --store promptcc.db",
    .options = OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_COORDINATOR) |
               OPTION_BIT(OPT_JSON),
    .max_operands = 0,
    .run = run,
};
