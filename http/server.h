// server: HTTP over one handler function, kept in bounds.
//
// The handler gets a whole request and fills in a reply. Reading, sending, and
// everything that a stranger could exhaust is handled here. Each connection has
// its own thread, so a handler may block. The bounds are:
//
//   connections   max_connections, of which an eighth is kept free. While
//                 there are more than the rest, those are cut off that have
//                 gone longest without sending a whole request or taking a
//                 reply. Up to twice max_connections are let in for that
//                 moment; further ones are closed at once
//   work          handlers and streams may use seven eighths; beyond that the
//                 answer is 503. Half of the last eighth is for /readyz and
//                 /metrics, and /healthz is always let in: it is answered
//                 within a second, whoever else is connected
//   time          a request must arrive, headers and body, within
//                 HTTP_REQUEST_MS after the connection began or had its last
//                 answer: a client that sends a byte now and then (slow loris)
//                 is cut off. A reply must leave within HTTP_REPLY_MS. The
//                 handler may take as long as it likes
//   size          headers HTTP_HEADER_BYTES, body max_body; beyond that the
//                 answer is 431 or 413
//   streams       at most max_streams of the connections; beyond that 503
//
// http/crowd.h enforces connections, work and time; http/check.h says which
// requests no handler sees.
//
// A stream is a reply without an end (server-sent events). Its `next` is called
// again and again, on the connection's thread, and may wait. When the server
// stops, someone has to wake what it waits for (web/live.h).
//
// http_start returns once the server is listening. http_stop refuses new
// requests, gives those in progress two seconds, closes all connections and
// joins all threads. These threads must not take signals: start them before
// signals_accept.

#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "http/address.h"
#include "http/reply.h"
#include "http/request.h"

enum { HTTP_HEADER_BYTES = 32 << 10 }; // of a request's line and headers

struct http_server;

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

// ERR_BUSY: the port is in use; ERR_INPUT: this machine has no such address.
struct http_server *http_start(const struct http_options *options,
                               struct err *err);

// Returns where it listens, with the actual port if 0 was asked for.
const char *http_place(const struct http_server *server);

// Accepts NULL.
void http_stop(struct http_server *server);

#endif
