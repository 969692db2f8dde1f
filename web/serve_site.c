// serve_site: the page and its files, sessions, news for the page, and probes
// for whoever watches this server.

#include <stdio.h>
#include <string.h>

#include "common/hash.h"
#include "common/json.h"
#include "web/exchange.h"

// --- sessions ---

void serve_session(struct exchange *exchange)
{
    json_t *session = json_pack("{s:s, s:s, s:b}", "version", PROMPTCC_VERSION,
                                "csrf", guard_csrf(exchange->web->guard),
                                "token", guard_has_token(exchange->web->guard));

    reply_json(exchange->reply, session);
    json_decref(session);
}

void serve_login(struct exchange *exchange)
{
    json_t *body = exchange_body(exchange);

    if (body == NULL)
        return;
    if (guard_login(exchange->web->guard, exchange->request,
                    json_get_text(body, "token", ""), exchange->reply))
        serve_session(exchange);
    else
        reply_words(
            exchange->reply, 401,
            "this is not the token of this server, which is in the file "
            "that --http-token names");
    json_decref(body);
}

void serve_logout(struct exchange *exchange)
{
    json_t *empty = json_object();
    json_t *body =
        exchange->request->body_len == 0 ? NULL : exchange_body(exchange);

    if (exchange->request->body_len > 0 && body == NULL)
        goto out;
    guard_logout(exchange->web->guard, exchange->request, exchange->reply);
    reply_json(exchange->reply, empty);

out:
    json_decref(body);
    json_decref(empty);
}

// --- news for the page ---

void serve_stream(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;

    if (!live_follow(exchange->web->live, &exchange->reply->stream, &err)) {
        reply_error(exchange->reply, 503, &err);
        return;
    }
    exchange->reply->type = "text/event-stream";
    http_reply_header(exchange->reply, "Cache-Control", "no-store");
    http_reply_header(exchange->reply, "X-Accel-Buffering", "no");
}

// --- probes ---

void serve_metrics(struct exchange *exchange)
{
    exchange->reply->type = "text/plain; version=0.0.4; charset=utf-8";
    http_reply_header(exchange->reply, "Cache-Control", "no-store");
    metrics_write(exchange->web->metrics, &exchange->web->commands,
                  exchange->web->readers, &exchange->reply->body);
}

void serve_health(struct exchange *exchange)
{
    buf_puts(&exchange->reply->body, "ok\n");
}

// Ready means that the loop answers and the store can be read.
void serve_ready(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;
    struct store *store = readers_take(exchange->web->readers, &err);
    json_t *status = NULL;

    if (store != NULL) {
        readers_give(exchange->web->readers, store);
        status = web_ask(&exchange->web->commands, "status", "", "", &err);
    }
    exchange->reply->status = status == NULL ? 503 : 200;
    buf_printf(&exchange->reply->body, "%s\n",
               status == NULL ? err.text : "ready");
    json_decref(status);
}

// --- files of the page ---

static void send_asset(struct exchange *exchange, const char *name)
{
    const char *known = http_header(exchange->request, "If-None-Match");

    for (size_t i = 0; i < n_web_assets; i++) {
        const struct web_asset *asset = &web_assets[i];
        struct hash hash;
        char hex[HASH_HEX], tag[HASH_HEX + 2];

        if (strcmp(asset->name, name) != 0)
            continue;
        hash = hash_of("asset", asset->text, strlen(asset->text));
        hash_hex(&hash, hex);
        (void)snprintf(tag, sizeof tag, "\"%s\"", hex);
        http_reply_header(exchange->reply, "ETag", tag);
        http_reply_header(exchange->reply, "Cache-Control", "no-cache");
        exchange->reply->type = asset->type;
        if (known != NULL && strcmp(known, tag) == 0) {
            exchange->reply->status = 304;
            return;
        }
        exchange->reply->fixed = asset->text;
        exchange->reply->fixed_len = strlen(asset->text);
        return;
    }
    reply_words(exchange->reply, 404, "there is no such file here");
}

void serve_page(struct exchange *exchange)
{
    send_asset(exchange, "index.html");
}

void serve_asset(struct exchange *exchange)
{
    send_asset(exchange, exchange->path.number);
}

void serve_openapi(struct exchange *exchange)
{
    send_asset(exchange, "openapi.json");
}
