// parts: what the files of this room share. No other room needs it.

#ifndef WEB_PARTS_H
#define WEB_PARTS_H

#include "http/server.h"
#include "web/guard.h"
#include "web/live.h"
#include "web/metrics.h"
#include "web/readers.h"
#include "web/web.h"

struct web {
    struct web_commands commands; // of the options
    char *store;                  // path; owned, as all below
    struct readers *readers;
    struct guard *guard;
    struct live *live;
    struct metrics *metrics;
    struct http_server *server;
    char url[HTTP_ADDRESS_TEXT + 8];
};

// The one handler: finds the route and answers (routes.c).
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

enum { WEB_PATIENCE_MS = 20000 }; // for what the loop answers by itself

// Asks in a session of its own (ask.c).
json_t *web_ask(const struct web_commands *commands, const char *verb,
                const char *job, const char *argument, struct err *err);

// The compiled file of a job, of its best so far while it runs (try.c). The
// caller frees.
char *web_compiled(struct web *web, const char *job, struct err *err);

// The outputs of the best program of a job so far for these inputs (try.c),
// with the messages of each call. New reference.
json_t *web_try(struct web *web, const char *job, const json_t *inputs,
                struct err *err);

#endif
