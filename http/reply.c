#include "http/reply.h"

#include <string.h>

void http_reply_header(struct http_reply *reply, const char *name,
                       const char *value)
{
    size_t len = strlen(value);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)value[i] < ' ' || value[i] == 0x7F)
            return;
    if (len >= HTTP_VALUE_BYTES || reply->n_headers == HTTP_MAX_HEADERS)
        return;
    reply->headers[reply->n_headers].name = name;
    memcpy(reply->headers[reply->n_headers].value, value, len + 1);
    reply->n_headers++;
}
