#include <unistd.h>

#include "cli/command.h"
#include "cli/grid.h"
#include "cli/history_file.h"
#include "cli/output.h"

enum { TABLE_BYTES = 256 << 20 };

static int print_rows(const struct options *options, struct store *store,
                      const json_t *rows, struct err *err)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf text = BUF_INIT(TABLE_BYTES);
    json_t *columns;
    int status;

    if (option_on(options, OPT_JSON))
        return output_json(rows);
    columns = query_columns(store, options->operands[0], err);
    if (columns == NULL)
        return output_error(options, err);
    grid_put_any(&terminal, columns, rows, &text);
    status = output_text(&text);
    json_decref(columns);
    buf_release(&text);
    return status;
}

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    struct store *store = history_file_open(options, NULL, &err);
    json_t *rows = store == NULL
                       ? NULL
                       : query_rows(store, options->operands[0], NULL, 0, &err);
    int status = rows == NULL ? output_error(options, &err)
                              : print_rows(options, store, rows, &err);

    json_decref(rows);
    store_close(store);
    return status;
}

const struct command_entry cmd_query = {
    .name = "query",
    .usage = "SQL",
    .summary = "asks the store in SQL, reading only; views v_jobs, v_trials, "
               "v_best, v_calls, v_cost",
    .example = "promptcc query \"SELECT role, calls FROM v_cost\" --store "
               "promptcc.db",
    .options = OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_JSON),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
