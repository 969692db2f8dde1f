#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/csv.h"
#include "cli/grid.h"
#include "cli/history_file.h"
#include "cli/output.h"
#include "common/file.h"
#include "common/json.h"

enum { TABLE_BYTES = 512 << 20, SQL_BYTES = 512 << 10 };

static int print_answer(const struct options *options, const json_t *answer)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf text = BUF_INIT(TABLE_BYTES);
    const json_t *names = json_object_get(answer, "columns");
    const json_t *rows = json_object_get(answer, "rows");
    int status;

    if (option_on(options, OPT_JSON))
        return output_json(rows);
    if (option_on(options, OPT_CSV))
        csv_put(names, rows, &text);
    else if (option_on(options, OPT_VERTICAL))
        grid_put_vertical(&terminal, names, rows, &text);
    else
        grid_put_any(&terminal, names, rows, &text);
    status = output_text(&text);
    buf_release(&text);
    return status;
}

// Returns the SQL: the operand, or the contents of --file. The caller frees the
// result.
static char *read_sql(const struct options *options, struct err *err)
{
    const char *path = option_text(options, OPT_FILE);
    struct buf text = BUF_INIT(SQL_BYTES);
    char *sql = NULL;

    if ((path != NULL) == (options->n_operands == 1))
        err_set(
            err, ERR_INPUT,
            "`promptcc query` takes either SQL or --file FILE; for example: "
            "promptcc query \"SELECT * FROM v_jobs\"");
    else if (path == NULL)
        sql = strdup(options->operands[0]);
    else if (file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text,
                       err))
        sql = strdup(text.data == NULL ? "" : text.data);
    if (sql == NULL && err->code == ERR_NONE)
        err_nomem(err, "the query");
    buf_release(&text);
    return sql;
}

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    char *sql = read_sql(options, &err);
    json_t *argument =
        sql == NULL ? NULL : json_pack_ex(NULL, 0, "{s:s}", "sql", sql);
    json_t *answer = NULL;
    int status;

    if (argument != NULL)
        answer = history_ask(options, "query", NULL, argument, &err);
    else if (err.code == ERR_NONE)
        err_set(&err, ERR_INPUT, "the query is not UTF-8");
    status = answer == NULL ? output_error(options, &err)
                            : print_answer(options, answer);
    json_decref(argument);
    json_decref(answer);
    free(sql);
    return status;
}

const struct command_entry cmd_query = {
    .name = "query",
    .usage = "SQL",
    .summary = "queries the history in SQL, read-only; docs/store.md lists the "
               "views and their columns",
    .example = "promptcc query \"SELECT role, calls FROM v_cost\" --store "
               "promptcc.db",
    .options = OPTIONS_HISTORY | OPTION_BIT(OPT_FILE) |
               OPTION_BIT(OPT_VERTICAL) | OPTION_BIT(OPT_CSV) |
               OPTION_BIT(OPT_JSON),
    .max_operands = 1,
    .document = "a list of objects, one for each row",
    .run = run,
};
