#include "cli/listing.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "common/json.h"

enum { TABLE_BYTES = 256 << 20, VALUE_BYTES = 4 << 20 };

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
        terminal_say("%s\n", empty);
    } else {
        grid_put(&terminal, columns, n, rows, &text);
        status = output_text(&text);
    }
    json_decref(rows);
    buf_release(&text);
    return status;
}

void listing_parse(json_t *rows, const char *key)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const char *text = json_string_value(json_object_get(row, key));
        struct err ignored = ERR_CLEAR;
        json_t *value = text == NULL ? NULL
                                     : json_parse(text, strlen(text),
                                                  VALUE_BYTES, &ignored);

        if (value != NULL)
            (void)json_object_set_new(row, key, value);
    }
}

void listing_bool(json_t *rows, const char *key)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);

        (void)json_object_set_new(
            row, key,
            json_boolean(json_integer_value(json_object_get(row, key)) != 0));
    }
}
