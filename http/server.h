// server: HTTP over one handler function, kept in bounds.
//
// The handler gets a whole request and fills a reply; reading, sending and all
// that a stranger could wear out stand here. Each connection has a thread of
// its own, so a handler may block:
//
//   connections   max_connections, of which an eighth is kept free. While
//                 there are more than the rest, those are cut off that have
//                 sent no whole request, or taken no reply, for longest. Up to
//                 twice max_connections are let in for that moment; further
//                 ones are closed at once
//   work          handlers and streams take no more than seven eighths; beyond
//                 is 503. Half of the last eighth is for /readyz and /metrics,
//                 and /healthz is always let in: it is answered within a
//                 second, whoever else is connected
//   time          a request must have arrived, headers and body, within
//                 HTTP_REQUEST_MS of its connection's beginning or last
//                 answer: a client that sends a byte now and then (slow loris)
//                 is cut off. A reply must have left within HTTP_REPLY_MS. The
//                 handler may take as long as it likes
//   size          headers HTTP_HEADER_BYTES, body max_body; beyond is 431 or
//                 413
//   streams       at most max_streams of the connections; beyond is 503
//
// Connections, work and time are kept by http/crowd.h.
//
// A stream is a reply without an end (server-sent events). Its `next` is asked
// again and again, on the connection's thread, and may wait; when the server
// stops, whoever it waits for has to wake it (web/live.h).
//
// start returns once it listens. stop refuses what is new, gives what is at
// work two seconds, closes all connections and joins all threads. Signals are
// not for these threads: start before signals_accept.

#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "http/address.h"
#include "http/request.h"

enum {
    HTTP_HEADER_BYTES = 32 << 10, // of a request's line and headers
    HTTP_MAX_HEADERS = 12,        // of a reply
    HTTP_VALUE_BYTES = 320,
};

struct http_server;

// A reply without an end. next appends to out what is to be sent, and waits
// for it; false ends the stream. close is called in any case.
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
    struct http_stream stream; // instead of both: next is not NULL
    size_t n_headers;
    struct {
        const char *name; // static
        char value[HTTP_VALUE_BYTES];
    } headers[HTTP_MAX_HEADERS];
};

// Adds a header. One that is too long, or has a control in it, is left out.
void http_reply_header(struct http_reply *reply, const char *name,
                       const char *value);

typedef void (*http_handler)(void *user, const struct http_request *request,
                             struct http_reply *reply);

struct http_options {
    struct http_address address;
    size_t max_connections;
    size_t max_streams;
    size_t max_body;      // of a request, in bytes
    size_t max_reply;     // of its body
    http_handler handler; // called on many threads at once
    void *user;
};

// ERR_BUSY: the port is in use; ERR_INPUT: no such address here.
struct http_server *http_start(const struct http_options *options,
                               struct err *err);

// Where it listens, with the port that was picked for 0.
const char *http_place(const struct http_server *server);

// NULL is fine.
void http_stop(struct http_server *server);

#endif
