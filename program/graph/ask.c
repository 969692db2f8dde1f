#include "program/graph/ask.h"

void ask_embedding(const char *text, size_t len, struct buf *payload,
                   struct ask *out)
{
    out->answerer = ANSWERER_EMBED;
    buf_put_json(payload, text, len);
    buf_putc(payload, ']');
}
