// request: what a handler can ask about the request that it answers.

#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

// A request that has arrived whole. All borrowed.
struct http_request {
    const char *method; // also "GET" for HEAD, whose body is then left out
    const char *path;   // decoded, UTF-8
    const char *body;   // NUL-terminated, never NULL
    size_t body_len;
    struct MHD_Connection *connection; // for the functions below
};

// Returns a header, ignoring case in its name; NULL if there is none.
const char *http_header(const struct http_request *request, const char *name);

// Returns a parameter of the query, decoded; NULL if there is none, or it is
// not UTF-8.
const char *http_query(const struct http_request *request, const char *name);

// Calls `each` for every parameter of the query, in order, until it returns
// false.
void http_query_names(const struct http_request *request,
                      bool (*each)(void *user, const char *name), void *user);

// Returns true if the request's Host is a name that only means this machine. If
// a page of the network has its name made to point here (DNS rebinding), Host
// is that name.
bool http_host_is_loopback(const struct http_request *request);

// Returns true if the body is declared as JSON. A form of another site can send
// a body without asking, but not one of this type.
bool http_is_json(const struct http_request *request);

// Returns true if the client has closed the connection, or its half of it,
// while the handler is working. Call on the handler's thread.
bool http_is_gone(const struct http_request *request);

#endif
