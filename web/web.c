#include "web/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTIONS_MOST = 64,
    STREAMS_MOST = 32,
    REQUEST_BYTES = 1 << 20,
    REPLY_BYTES = 64 << 20,
};

// Returns true if --http may listen there: beyond loopback only with a token.
static bool may_listen(const struct http_address *address,
                       const char *token_file, struct err *err)
{
    char place[HTTP_ADDRESS_TEXT];

    if (address->loopback || token_file != NULL)
        return true;
    http_address_print(address, place);
    err_set(err, ERR_INPUT,
            "anyone who reaches %s could stop jobs and read all prompts: add "
            "--http-token FILE (made if it does not exist), or serve on "
            "127.0.0.1",
            place);
    return false;
}

static bool open_parts(struct web *web, const struct web_options *options,
                       struct err *err)
{
    web->guard = guard_new(options->token_file, err);
    if (web->guard != NULL)
        web->readers = readers_new(options->store, err);
    if (web->readers != NULL)
        web->metrics = metrics_new(err);
    if (web->metrics != NULL)
        web->live = live_start(&web->commands, web->store, err);
    return web->live != NULL;
}

static bool open_server(struct web *web, const struct web_options *options,
                        struct err *err)
{
    struct http_options http = {.address = options->address,
                                .max_connections = CONNECTIONS_MOST,
                                .max_streams = STREAMS_MOST,
                                .max_body = REQUEST_BYTES,
                                .max_reply = REPLY_BYTES,
                                .handler = web_handle,
                                .user = web};

    web->server = http_start(&http, err);
    if (web->server == NULL)
        return false;
    (void)snprintf(web->url, sizeof web->url, "http://%s",
                   http_place(web->server));
    return true;
}

struct web *web_start(const struct web_options *options, struct err *err)
{
    struct web *web = calloc(1, sizeof *web);

    if (web == NULL) {
        err_nomem(err, "the dashboard");
        return NULL;
    }
    web->commands = options->commands;
    web->store = strdup(options->store);
    if (web->store == NULL) {
        err_nomem(err, "the dashboard");
        web_stop(web);
        return NULL;
    }
    if (may_listen(&options->address, options->token_file, err) &&
        open_parts(web, options, err) && open_server(web, options, err))
        return web;
    web_stop(web);
    return NULL;
}

const char *web_url(const struct web *web)
{
    return web->url;
}

const char *web_file(const char *name)
{
    for (size_t i = 0; i < n_web_assets; i++)
        if (strcmp(web_assets[i].name, name) == 0)
            return web_assets[i].text;
    return "";
}

void web_stop(struct web *web)
{
    if (web == NULL)
        return;
    if (web->live != NULL)
        live_wake(web->live);
    http_stop(web->server);
    live_stop(web->live);
    metrics_free(web->metrics);
    readers_free(web->readers);
    guard_free(web->guard);
    free(web->store);
    free(web);
}
