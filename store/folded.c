#include "store/folded.h"

#include <string.h>

#include "common/json.h"

void folded_put(struct buf *out, const char *text, size_t len)
{
    bool space = true;

    for (size_t i = 0; i < len; i++) {
        bool blank = strchr(" \t\r\n", text[i]) != NULL;

        if (!blank)
            buf_putc(out, text[i]);
        else if (!space)
            buf_putc(out, ' ');
        space = blank;
    }
}

bool folded_rows(json_t *rows, const char *key, struct err *err)
{
    struct buf text = BUF_INIT(FOLDED_MAX_BYTES);
    bool ok = rows != NULL;

    for (size_t i = 0; ok && i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const char *given = json_get_text(row, key, "");

        buf_clear(&text);
        buf_puts(&text, "");
        folded_put(&text, given, strlen(given));
        ok = buf_ok(&text, "a text", err) &&
             json_object_set_new(row, key, json_stringn(text.data, text.len)) ==
                 0;
    }
    buf_release(&text);
    return ok;
}
