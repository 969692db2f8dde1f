#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/history_file.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "common/json.h"
#include "common/plain.h"

enum { TEXT_BYTES = 16 << 20 };

static const char best_sql[] =
    "SELECT rank, trial, kind, score, n, candidate, instructions, demos"
    " FROM v_best WHERE job = ?1 AND rank <= CAST(?2 AS INTEGER)"
    " ORDER BY rank";
static const char prompts_sql[] =
    "SELECT step, instruction, demos FROM v_candidates"
    " WHERE job = ?1 AND candidate = CAST(?2 AS INTEGER)";

static const struct grid_column columns[] = {
    {"RANK", "rank", GRID_COUNT, false},
    {"TRIAL", "trial", GRID_COUNT, false},
    {"KIND", "kind", GRID_TEXT, false},
    {"SCORE", "score", GRID_PERCENT, false},
    {"N", "n", GRID_COUNT, false},
    {"INSTRUCTIONS", "instructions", GRID_PARTS, true},
    {"DEMO SETS", "demos", GRID_PARTS, true},
};

static json_t *ask(struct store *store, const char *sql, const char *id,
                   int64_t number, struct err *err)
{
    char text[32];
    const char *args[] = {id, text};

    (void)snprintf(text, sizeof text, "%" PRId64, number);
    return query_rows(store, sql, args, 2, err);
}

// The prompts of the best candidate, whole.
static void put_prompts(const json_t *prompts, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(prompts); i++) {
        const json_t *part = json_array_get(prompts, i);
        const char *text = json_get_text(part, "instruction", "");

        buf_printf(out, "\n%s, %zu demos:\n  ",
                   json_get_text(part, "step", "?"),
                   json_array_size(json_object_get(part, "demos")));
        plain_put_line(out, text, strlen(text));
        buf_putc(out, '\n');
    }
}

static int print_best(const struct options *options, json_t *rows,
                      json_t *prompts)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf text = BUF_INIT(TEXT_BYTES);
    int status;

    listing_parse(rows, "instructions");
    listing_parse(rows, "demos");
    listing_parse(prompts, "demos");
    if (option_on(options, OPT_JSON)) {
        if (json_array_size(rows) > 0)
            (void)json_object_set(json_array_get(rows, 0), "prompts", prompts);
        return output_json(rows);
    }
    grid_put(&terminal, columns, sizeof columns / sizeof *columns, rows, &text);
    put_prompts(prompts, &text);
    status = output_text(&text);
    buf_release(&text);
    return status;
}

static int run(const struct options *options)
{
    const char *job = options->operands[0];
    struct err err = ERR_CLEAR;
    struct store *store = history_file_open(options, job, &err);
    char *id = store == NULL ? NULL : history_file_job(store, job, &err);
    json_t *rows = NULL, *prompts = NULL;
    int status;

    if (id != NULL)
        rows = ask(store, best_sql, id, option_number(options, OPT_LIMIT, 0),
                   &err);
    if (rows != NULL)
        prompts =
            ask(store, prompts_sql, id,
                json_get_int(json_array_get(rows, 0), "candidate", -1), &err);
    status = prompts == NULL ? output_error(options, &err)
                             : print_best(options, rows, prompts);
    json_decref(rows);
    json_decref(prompts);
    store_close(store);
    free(id);
    return status;
}

const struct command_entry cmd_best = {
    .name = "best",
    .usage = "ID",
    .summary = "shows the best candidates of a job and the prompts of the "
               "first",
    .example = "promptcc best customer-care --store promptcc.db",
    .options =
        OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_JSON) | OPTION_BIT(OPT_LIMIT),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
