#include "cli/dashboard.h"

#include <stdlib.h>

#include "cli/ask.h"
#include "client/client.h"
#include "coordinator/coordinator.h"
#include "web/web.h"

enum { PATIENCE_MS = 3000 };

struct dashboard {
    void *zmq;            // borrowed
    const char *endpoint; // borrowed
    struct web *web;      // owned
};

static void *open_session(void *user, struct err *err)
{
    const struct dashboard *dashboard = user;

    return client_open(dashboard->zmq, dashboard->endpoint, NULL, PATIENCE_MS,
                       err);
}

static json_t *ask_session(void *session, const char *verb, const char *job,
                           const char *argument, int64_t patience_ms,
                           struct err *err)
{
    client_set_patience(session, patience_ms);
    return ask_client(session, verb, job, argument, err);
}

static void close_session(void *session)
{
    client_close(session);
}

bool dashboard_start(struct dashboard **out, const struct options *options,
                     void *zmq, const struct coordinator *coordinator,
                     const char *store, struct err *err)
{
    const char *place = option_text(options, OPT_HTTP);
    struct web_options with = {
        .token_file = option_text(options, OPT_HTTP_TOKEN),
        .store = store,
        .commands = {
            .open = open_session, .ask = ask_session, .close = close_session}};

    *out = NULL;
    if (place == NULL)
        return true;
    if (!http_address_read(place, &with.address, err))
        return false;
    *out = calloc(1, sizeof **out);
    if (*out == NULL) {
        err_nomem(err, "the dashboard");
        return false;
    }
    (*out)->zmq = zmq;
    (*out)->endpoint = coordinator_inside(coordinator);
    with.commands.user = *out;
    (*out)->web = web_start(&with, err);
    if ((*out)->web != NULL)
        return true;
    dashboard_stop(*out);
    *out = NULL;
    return false;
}

const char *dashboard_url(const struct dashboard *dashboard)
{
    return web_url(dashboard->web);
}

void dashboard_stop(struct dashboard *dashboard)
{
    if (dashboard == NULL)
        return;
    web_stop(dashboard->web);
    free(dashboard);
}
