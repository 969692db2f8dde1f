// web: the dashboard and the HTTP API.
//
// A server with threads of its own beside a coordinator. It reads the store on
// connections of its own (readers.h) and hands commands to the coordinator's
// loop through the functions that it is given: it knows neither the loop nor
// how a command gets there. What it serves:
//
//   /                  the dashboard: one page, its files under /assets/
//   /api/v1/...        JSON, as assets/openapi.json says (routes.c)
//   /api/v1/stream     news as server-sent events (live.h)
//   /metrics           Prometheus text (metrics.c)
//   /healthz, /readyz  for who starts and restarts the process
//
// Who may ask stands in guard.h, and what keeps strangers in bounds in
// http/server.h. Texts of models and jobs are data everywhere: replies are
// JSON, and the page sets them as text, never as HTML.

#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "http/address.h"

struct web;

// How commands get to the loop. All may be called by any thread; a session is
// one thread's at a time.
struct web_commands {
    void *user;
    void *(*open)(void *user, struct err *err); // NULL on failure
    // The reply to verb about job, with argument (JSON or ""). New reference;
    // NULL with the coordinator's own words.
    // It is waited for patience_ms at most.
    json_t *(*ask)(void *session, const char *verb, const char *job,
                   const char *argument, int64_t patience_ms, struct err *err);
    void (*close)(void *session);
};

struct web_options {
    struct http_address address;
    const char *token_file; // NULL: none, on loopback alone
    const char *store;      // path
    struct web_commands commands;
};

// It serves when start returns. ERR_BUSY: the port is in use.
struct web *web_start(const struct web_options *options, struct err *err);

// "http://127.0.0.1:8070"; borrowed.
const char *web_url(const struct web *web);

void web_stop(struct web *web); // NULL is fine

// A file of the dashboard by its name ("page.css"), for what is to look like
// it. Borrowed; "" where there is none.
const char *web_file(const char *name);

#endif
