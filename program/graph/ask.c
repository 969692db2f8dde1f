#include "program/graph/ask.h"

#include "common/text.h"

void ask_put_embedding(const char *text, size_t len, struct buf *payload)
{
    buf_put_json(payload, text, len);
    buf_putc(payload, ']');
}

bool ask_can_embed(const struct buf *text)
{
    size_t words = 0;

    if (!text->failed && text->len > 0)
        (void)text_trim_wide(text->data, text->len, &words);
    return words > 0;
}
