// parts: what the files of this room share. Other rooms do not include it.

#ifndef WEB_PARTS_H
#define WEB_PARTS_H

#include "http/server.h"
#include "web/guard.h"
#include "web/live.h"
#include "web/metrics.h"
#include "web/readers.h"
#include "web/web.h"

struct web {
    struct web_commands commands; // from the options
    char *store;                  // path; owned, as all below
    struct readers *readers;
    struct guard *guard;
    struct live *live;
    struct metrics *metrics;
    struct http_server *server;
    char url[HTTP_ADDRESS_TEXT + 8];
};

// The only handler: finds the route and answers (routes.c).
void web_handle(void *user, const struct http_request *request,
                struct http_reply *reply);

// A file of the dashboard (assets.c, made by CMake from assets/).
struct web_asset {
    const char *name; // "page.js"
    const char *type;
    const char *text;
};
extern const struct web_asset web_assets[];
extern const size_t n_web_assets;

// For what the loop can answer without waiting.
enum { WEB_PATIENCE_MS = 20000 };

// Asks in a new session (ask.c).
json_t *web_ask(const struct web_commands *commands, const char *verb,
                const char *job, const char *argument, struct err *err);

// Returns the compiled file of a job, or of its best program so far while it
// runs (try.c). The caller frees the result.
char *web_compiled(struct web *web, const char *job, struct err *err);

// Runs the best program of a job so far on these inputs (try.c). Returns its
// outputs, with the messages of each call, as a new reference.
json_t *web_try(struct web *web, const char *job, const json_t *inputs,
                struct err *err);

#endif
