#include "cli/csv.h"

#include <string.h>

#include "common/json.h"

enum { CELL_BYTES = 64 << 20 };

static void put_field(const char *text, struct buf *out)
{
    bool quoted = text[strcspn(text, ",\"\r\n")] != '\0' || text[0] == ' ';

    if (!quoted) {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            buf_putc(out, '"');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

void csv_put(const json_t *names, const json_t *rows, struct buf *out)
{
    size_t n = json_array_size(names);

    for (size_t c = 0; c < n; c++) {
        buf_puts(out, c == 0 ? "" : ",");
        put_field(json_string_value(json_array_get(names, c)), out);
    }
    buf_putc(out, '\n');
    for (size_t r = 0; r < json_array_size(rows); r++) {
        for (size_t c = 0; c < n; c++) {
            const json_t *value =
                json_object_get(json_array_get(rows, r),
                                json_string_value(json_array_get(names, c)));
            struct buf text = BUF_INIT(CELL_BYTES);

            if (json_is_string(value))
                buf_puts(&text, json_string_value(value));
            else if (value != NULL && !json_is_null(value))
                json_put(&text, value);
            buf_puts(out, c == 0 ? "" : ",");
            put_field(text.data == NULL ? "" : text.data, out);
            buf_release(&text);
        }
        buf_putc(out, '\n');
    }
}
