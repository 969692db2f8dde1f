#include "cli/worker_probe.h"

#include <stdlib.h>
#include <string.h>

#include "http/server.h"

enum {
    // A loop runs every second, but it may be held up for some seconds by a
    // probe of its server, or by finding out why a coordinator does not let it
    // in.
    STUCK_MS = 20000,
    CONNECTIONS = 16,
    REPLY_BYTES = 4096,
};

struct worker_probe {
    struct worker *const *workers; // borrowed
    size_t n;
    struct http_server *server;
};

static const char *find_stuck(const struct worker_probe *probe)
{
    for (size_t i = 0; i < probe->n; i++)
        if (!worker_ended(probe->workers[i]) &&
            worker_get_health(probe->workers[i]).turn_ms > STUCK_MS)
            return "a worker's loop is stuck";
    return NULL;
}

static const char *find_unready(const struct worker_probe *probe)
{
    const char *why = "no coordinator has accepted it";

    for (size_t i = 0; i < probe->n; i++) {
        struct worker_health health = worker_get_health(probe->workers[i]);

        if (health.serving && !health.server_fails)
            return NULL;
        if (health.server_fails)
            why = "the model server does not answer";
    }
    return why;
}

static void handle(void *user, const struct http_request *request,
                   struct http_reply *reply)
{
    const struct worker_probe *probe = user;
    bool health = strcmp(request->path, "/healthz") == 0;
    const char *why = NULL;

    reply->type = "text/plain; charset=utf-8";
    if (!health && strcmp(request->path, "/readyz") != 0) {
        reply->status = 404;
        buf_puts(&reply->body, "the paths are /healthz and /readyz\n");
        return;
    }
    why = health ? find_stuck(probe) : find_unready(probe);
    reply->status = why == NULL ? 200 : 503;
    buf_printf(&reply->body, "%s\n", why == NULL ? "ok" : why);
}

struct worker_probe *worker_probe_start(const char *place,
                                        struct worker *const *workers, size_t n,
                                        struct err *err)
{
    struct worker_probe *probe = calloc(1, sizeof *probe);
    struct http_options options = {.max_connections = CONNECTIONS,
                                   .max_reply = REPLY_BYTES,
                                   .handler = handle,
                                   .user = probe};

    if (probe == NULL) {
        err_nomem(err, "a probe");
        return NULL;
    }
    probe->workers = workers;
    probe->n = n;
    if (http_address_read(place, &options.address, err))
        probe->server = http_start(&options, err);
    if (probe->server != NULL)
        return probe;
    free(probe);
    return NULL;
}

const char *worker_probe_place(const struct worker_probe *probe)
{
    return http_place(probe->server);
}

void worker_probe_stop(struct worker_probe *probe)
{
    if (probe == NULL)
        return;
    http_stop(probe->server);
    free(probe);
}
