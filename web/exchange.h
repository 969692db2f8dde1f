// exchange: one request on its way through the route that it matched, and the
// ways to answer it.
//
// A route is a row of the table in routes.c. Its handler, one of serve_* below,
// fills in the reply in any case; it may be called from several threads at
// once.
//
//   serve_store.c    questions to the store, and the compiled file
//   serve_command.c  commands to the coordinator
//   serve_site.c     the page and its files, sessions, news, probes

#ifndef WEB_EXCHANGE_H
#define WEB_EXCHANGE_H

#include <jansson.h>

#include "common/err.h"
#include "http/server.h"
#include "web/parts.h"

enum { SEGMENT_BYTES = 256 };

// The parts of a path for {job} and {number}.
struct path {
    char job[SEGMENT_BYTES];
    char number[SEGMENT_BYTES];
};

struct exchange {
    struct web *web;
    const struct route *route;
    const struct http_request *request;
    struct path path;
    struct http_reply *reply;
};

enum access {
    ACCESS_OPEN,  // anyone who reaches the port
    ACCESS_READ,  // whoever is let in
    ACCESS_WRITE, // the same, but the request must be intended
};

struct route {
    const char *method;
    const char *pattern;
    enum access access;
    void (*serve)(struct exchange *exchange);
    const char *verb; // of a lookup or a command
    // The parameters of the query that the verb takes: names, followed by # for
    // an integer, % for any number, or = and the words that | parts.
    const char *takes;
    const char *number; // the name of {number} in the verb's argument
};

// --- replies ---

// Answers with a value, which is borrowed.
void reply_json(struct http_reply *reply, const json_t *value);

// Answers with an error, as a document that common/error_document.h describes.
// An error of our own is logged.
void reply_error(struct http_reply *reply, unsigned status,
                 const struct err *err);
void reply_words(struct http_reply *reply, unsigned status,
                 const char *sentence);

// Returns the status for an error. input: that for ERR_INPUT, which depends on
// the route.
unsigned reply_status(const struct err *err, unsigned input);

// --- handlers ---

void serve_lookup(struct exchange *exchange);
void serve_compiled(struct exchange *exchange);
void serve_command(struct exchange *exchange);
void serve_try(struct exchange *exchange);
void serve_session(struct exchange *exchange);
void serve_login(struct exchange *exchange);
void serve_logout(struct exchange *exchange);
void serve_stream(struct exchange *exchange);
void serve_metrics(struct exchange *exchange);
void serve_health(struct exchange *exchange);
void serve_ready(struct exchange *exchange);
void serve_page(struct exchange *exchange);
void serve_asset(struct exchange *exchange);
void serve_openapi(struct exchange *exchange);

// Returns the body of a POST as a JSON object; NULL if it is not one, and then
// the reply says so. The caller frees the result.
json_t *exchange_body(struct exchange *exchange);

#endif
