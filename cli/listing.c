#include "cli/listing.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/output.h"

enum { TABLE_BYTES = 256 << 20 };

// All that the rows say, and not only what a table has room for.
static void put_csv(const struct grid_column *columns, size_t n,
                    const json_t *rows, struct buf *out)
{
    const json_t *first = json_array_get(rows, 0);
    json_t *names = json_array();
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)first, key, value)
    {
        (void)json_array_append_new(names, json_string(key));
    }
    for (size_t i = 0; first == NULL && i < n; i++)
        (void)json_array_append_new(names, json_string(columns[i].key));
    grid_put_csv(names, rows, out);
    json_decref(names);
}

int listing_print(const struct options *options, json_t *rows,
                  const struct grid_column *columns, size_t n,
                  const char *empty, const struct err *err)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf text = BUF_INIT(TABLE_BYTES);
    int status = EXIT_DONE;

    if (rows == NULL)
        return output_error(options, err);
    if (option_on(options, OPT_JSON)) {
        status = output_json(rows);
    } else if (option_on(options, OPT_CSV)) {
        put_csv(columns, n, rows, &text);
        status = output_text(&text);
    } else if (json_array_size(rows) == 0) {
        output_say("%s\n", empty);
    } else {
        grid_put(&terminal, columns, n, rows, &text);
        status = output_text(&text);
    }
    json_decref(rows);
    buf_release(&text);
    return status;
}
