// reply: what a handler answers with.

#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

enum {
    HTTP_MAX_HEADERS = 12, // of a reply
    HTTP_VALUE_BYTES = 320,
};

// A reply without an end. next waits, and appends to out what to send; false
// ends the stream. close is always called.
struct http_stream {
    void *user;
    bool (*next)(void *user, struct buf *out);
    void (*close)(void *user);
};

struct http_reply {
    unsigned status;  // 200 unless the handler says otherwise
    const char *type; // Content-Type; static
    struct buf body;
    const char *fixed; // instead of body: bytes that outlive the server
    size_t fixed_len;
    struct http_stream stream; // instead of both, if next is not NULL
    size_t n_headers;
    struct {
        const char *name; // static
        char value[HTTP_VALUE_BYTES];
    } headers[HTTP_MAX_HEADERS];
};

// Adds a header. Leaves it out if it is too long or has a control character in
// it.
void http_reply_header(struct http_reply *reply, const char *name,
                       const char *value);

#endif
