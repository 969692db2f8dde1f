#include "cli/listing.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/output.h"

enum { TABLE_BYTES = 256 << 20 };

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
