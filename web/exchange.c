#include "web/exchange.h"

#include <stdlib.h>

#include "common/error_document.h"
#include "common/json.h"
#include "common/log.h"

enum { BODY_BYTES = 1 << 20 };

// --- replies ---

void reply_json(struct http_reply *reply, const json_t *value)
{
    reply->type = "application/json";
    http_reply_header(reply, "Cache-Control", "no-store");
    json_put(&reply->body, value);
}

void reply_error(struct http_reply *reply, unsigned status,
                 const struct err *err)
{
    char *document = error_document(err);

    if (status >= 500 && err->code != ERR_STOPPED)
        log_warn("request-failed", "%u: %s", status, err->text);
    reply->status = status;
    reply->type = "application/json";
    http_reply_header(reply, "Cache-Control", "no-store");
    buf_clear(&reply->body);
    buf_puts(&reply->body, document == NULL ? "{}" : document);
    free(document);
}

void reply_words(struct http_reply *reply, unsigned status,
                 const char *sentence)
{
    struct err err = ERR_CLEAR;

    err_set(&err, ERR_INPUT, "%s", sentence);
    reply_error(reply, status, &err);
}

unsigned reply_status(const struct err *err, unsigned input)
{
    switch (err->code) {
    case ERR_INPUT:
        return input;
    case ERR_BUSY:
    case ERR_LIMIT:
    case ERR_IO:
    case ERR_STOPPED:
        return 503;
    default:
        return 500;
    }
}

json_t *exchange_body(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;
    json_t *body = json_parse(exchange->request->body,
                              exchange->request->body_len, BODY_BYTES, &err);

    if (json_is_object(body))
        return body;
    if (body != NULL)
        err_set(&err, ERR_INPUT, "the body must be a JSON object");
    reply_error(exchange->reply, reply_status(&err, 400), &err);
    json_decref(body);
    return NULL;
}
