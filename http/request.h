// request: what a handler can ask about the request that it is to answer.

#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
