// web: the dashboard and the HTTP API.
//
// A server with its own threads in a coordinator's process. It reads the store
// on its own connections (readers.h) and passes commands to the coordinator's
// loop through functions that it is given: it knows neither the loop nor how a
// command gets there. It serves:
//
//   /                  the dashboard: one page, its files under /assets/
//   /api/v1/...        JSON, as assets/openapi.json says (routes.c)
//   /api/v1/stream     news as server-sent events (live.h)
//   /metrics           Prometheus text (metrics.c)
//   /healthz, /readyz  for whatever starts and restarts the process
//
// guard.h decides who may ask, and http/server.h keeps strangers in bounds.
// Texts of models and jobs are always treated as data: replies are JSON, and
// the page sets them as text, never as HTML.

#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "http/address.h"

struct web;

// How commands get to the loop. Any thread may call these functions, but only
// one thread at a time may use a session.
struct web_commands {
    void *user;
    void *(*open)(void *user, struct err *err); // NULL on failure
    // Returns the reply to verb about job, with argument (JSON or ""), as a new
    // reference. Waits patience_ms at most. Returns NULL with the coordinator's
    // own words in err.
    json_t *(*ask)(void *session, const char *verb, const char *job,
                   const char *argument, int64_t patience_ms, struct err *err);
    void (*close)(void *session);
};

struct web_options {
    struct http_address address;
    const char *token_file; // NULL: no token, only on loopback
    const char *store;      // path
    struct web_commands commands;
};

// The server is running when web_start returns. ERR_BUSY: the port is in use.
struct web *web_start(const struct web_options *options, struct err *err);

// "http://127.0.0.1:8070"; borrowed.
const char *web_url(const struct web *web);

void web_stop(struct web *web); // accepts NULL

// Returns a file of the dashboard by its name ("page.css"), for pages that
// should look like it. Borrowed; "" if there is none.
const char *web_file(const char *name);

#endif
