// server: HTTP over one handler function, kept in bounds.
//
// The handler gets a whole request and fills a reply; reading, sending and all
// that a stranger could wear out stand here. Each connection has a thread of
// its own, so a handler may block:
//
//   connections   max_connections, of which an eighth is kept free. When there
//                 are more, those go that have sent no whole request for
//                 longest, or do not take their reply; twice as many are let in
//                 for that moment, further ones are closed at once
//   work          handlers and streams take no more than seven eighths; beyond
//                 is 503. Half of the rest is for /readyz and /metrics, and
//                 /healthz is always let in: it is answered within a second,
//                 whoever else is connected
//   time          a request has arrived, headers and body, REQUEST_MS after its
//                 connection was opened or had its last answer: a client that
//                 sends a byte now and then (slow loris) is cut off. A reply
//                 has left REPLY_MS after the handler gave it; how long the
//                 handler may take is its own affair
//   size          headers HEADER_BYTES, body max_body; beyond is 431 or 413
//   streams       at most max_streams of the connections; beyond is 503
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

enum {
    HTTP_HEADER_BYTES = 32 << 10, // of a request's line and headers
    HTTP_REQUEST_MS = 10000,
    HTTP_REPLY_MS = 60000,
    HTTP_MAX_HEADERS = 12, // of a reply
    HTTP_VALUE_BYTES = 320,
};

struct http_server;
struct MHD_Connection;

// A request that has arrived whole. All borrowed.
struct http_request {
    const char *method; // "GET" also for HEAD: the body is then left out
    const char *path;   // decoded, UTF-8
    const char *body;   // NUL-terminated, never NULL
    size_t body_len;
    struct MHD_Connection *connection; // for the two below
};

// Names of headers are looked up without regard to case. NULL: there is none.
const char *http_header(const struct http_request *request, const char *name);

// A parameter of the query, decoded; NULL: there is none, or no UTF-8.
const char *http_query(const struct http_request *request, const char *name);

// Calls each for every parameter of the query, in order, until it gives false.
void http_query_names(const struct http_request *request,
                      bool (*each)(void *user, const char *name), void *user);

// Whether the Host that was asked for is a name of this machine alone. A page
// of the network whose name is made to point here (DNS rebinding) has another.
bool http_host_is_loopback(const struct http_request *request);

// Whether the body is said to be JSON. A form of another site can send a body
// without being asked, but not one of this type.
bool http_is_json(const struct http_request *request);

// Whether the client has closed the connection, or its half of it, while the
// handler is at work. On the handler's thread.
bool http_is_gone(const struct http_request *request);

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
