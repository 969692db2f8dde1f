#include "http/check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"

enum { TOO_LARGE = 413 }; // the library has had several names for this

static unsigned refuse_long(size_t max, struct err *err)
{
    if (max % (1 << 20) == 0)
        err_set(err, ERR_LIMIT,
                "the request is too long: its body may have at most %zu MiB",
                max >> 20);
    else
        err_set(err, ERR_LIMIT,
                "the request is too long: its body may have at most %zu bytes",
                max);
    return TOO_LARGE;
}

// --- the headers ---

static enum MHD_Result count_length(void *cls, enum MHD_ValueKind kind,
                                    const char *name, const char *value)
{
    size_t *n = cls;

    (void)kind;
    (void)value;
    *n += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
          strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

// If a length is given twice, we would read one of them, and a proxy in front
// perhaps the other: that could hide a request of somebody else.
unsigned check_head(struct MHD_Connection *connection, size_t max,
                    struct err *err)
{
    const char *length = MHD_lookup_connection_value(
        connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    size_t n = 0;

    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, count_length,
                                    &n);
    if (n > 1) {
        err_set(err, ERR_INPUT,
                "the request says more than once how long it is");
        return MHD_HTTP_BAD_REQUEST;
    }
    if (length == NULL || strtoull(length, NULL, 10) <= max)
        return 0;
    return refuse_long(max, err);
}

// --- the address ---

// A NUL would end the text for us but not for the sender, so it becomes a byte
// that does not occur in UTF-8.
size_t check_unescape(void *user, struct MHD_Connection *connection, char *text)
{
    (void)user;
    (void)connection;
    for (char *at = text; (at = strstr(at, "%00")) != NULL; at += 3)
        memcpy(at, "%FF", 3);
    return MHD_http_unescape(text);
}

static enum MHD_Result check_text(void *cls, enum MHD_ValueKind kind,
                                  const char *name, const char *value)
{
    bool *ok = cls;

    (void)kind;
    *ok = text_is_utf8(name, strlen(name)) &&
          (value == NULL || text_is_utf8(value, strlen(value)));
    return *ok ? MHD_YES : MHD_NO;
}

static bool is_text(struct MHD_Connection *connection, const char *path)
{
    bool ok = text_is_utf8(path, strlen(path));

    if (ok)
        (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND,
                                        check_text, &ok);
    return ok;
}

unsigned check_whole(struct MHD_Connection *connection, const char *path,
                     const struct buf *body, struct err *err)
{
    if (body->failed)
        return refuse_long(body->max, err);
    if (is_text(connection, path))
        return 0;
    err_set(err, ERR_INPUT, "the address is not UTF-8, or has a NUL");
    return MHD_HTTP_BAD_REQUEST;
}
