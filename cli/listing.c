#include "cli/listing.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/csv.h"
#include "cli/output.h"
#include "cli/terminal.h"

enum { TABLE_BYTES = 256 << 20 };

// Returns the names of all members, in the order of their first appearance, or
// those of the columns if there are no rows.
static json_t *names_of(const struct grid_column *columns, size_t n,
                        const json_t *rows)
{
    json_t *seen = json_object();
    json_t *names = json_array();
    const char *name;
    json_t *value;

    for (size_t i = 0; i < json_array_size(rows); i++)
        json_object_foreach(json_array_get(rows, i), name, value) {
            if (json_object_get(seen, name) != NULL)
                continue;
            (void)json_object_set_new(seen, name, json_true());
            (void)json_array_append_new(names, json_string(name));
        }
    for (size_t i = 0; json_array_size(rows) == 0 && i < n; i++)
        (void)json_array_append_new(names, json_string(columns[i].key));
    json_decref(seen);
    return names;
}

int listing_print_csv(const struct grid_column *columns, size_t n,
                      const json_t *rows)
{
    struct buf text = BUF_INIT(TABLE_BYTES);
    json_t *names = names_of(columns, n, rows);
    int status;

    csv_put(names, rows, &text);
    status = output_text(&text);
    json_decref(names);
    buf_release(&text);
    return status;
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
        status = listing_print_csv(columns, n, rows);
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
