#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "model/client.h"
#include "model/reach.h"

enum {
    STATUS_BYTES = 600, // of what a server says about a status
    MODELS_MAX = 4096,  // most entries read from a list of models
};

// --- what went wrong ---

// Something answers there, but it is not such a server.
static bool refuse_other(const struct model_client *client, const char *why,
                         struct err *err)
{
    err_set(err, ERR_PROTOCOL,
            "there is no %s server at %s: %s; are the address and the kind of "
            "server (--ollama, --openai, --llama) right?",
            client->backend->name, client->address.url, why);
    return false;
}

// Nothing answers; or something does, but TLS fails; or we do not know where to
// ask.
static bool refuse_silent(const struct model_client *client, CURLcode code,
                          struct err *err)
{
    const char *url = client->address.url;
    const char *why = curl_easy_strerror(code);

    if (code == CURLE_PEER_FAILED_VERIFICATION ||
        code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CACERT_BADFILE ||
        code == CURLE_COULDNT_RESOLVE_HOST ||
        code == CURLE_COULDNT_RESOLVE_PROXY)
        err_set(err, ERR_PROTOCOL, "%s: %s; %s", url, why, reach_remedy(code));
    else
        err_set(err, ERR_IO, "no %s server answers at %s (%s); %s",
                client->backend->name, url, why, reach_remedy(code));
    return false;
}

// It answers, but not with what was asked for. A 404 does not come from a model
// server.
static bool refuse_status(const struct model_client *client,
                          struct exchange *exchange, long status,
                          const char *path, struct err *err)
{
    char text[STATUS_BYTES];

    if (status == 404)
        return refuse_other(client,
                            "something else answers there, and does "
                            "not know the request (HTTP status 404)",
                            err);
    const struct model_reply reply = exchange_reply(exchange);
    model_status_text(&reply, text, sizeof text);
    err_set(err, status >= 500 ? ERR_FAULT : ERR_PROTOCOL, "%s%s: %s",
            client->address.url, path, text);
    return false;
}

static bool get_path(struct model_client *client, struct exchange *exchange,
                     const char *path, int64_t timeout_ms, struct err *err)
{
    char url[CLIENT_URL_BYTES];
    long status = 0;
    CURL *easy = exchange->easy;

    (void)snprintf(url, sizeof url, "%s%s", client->address.url, path);
    buf_clear(&exchange->reply);
    if (curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms) !=
            CURLE_OK) {
        err_nomem(err, "a request");
        return false;
    }
    CURLcode code = curl_easy_perform(easy);
    if (code != CURLE_OK)
        return refuse_silent(client, code, err);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status == 200 || refuse_status(client, exchange, status, path, err);
}

static json_t *get_json(struct model_client *client, const char *path,
                        int64_t timeout_ms, struct err *err)
{
    struct exchange *exchange = exchange_new(client->address.url);
    json_t *reply = NULL;

    if (exchange == NULL) {
        err_nomem(err, "a request");
        return NULL;
    }
    if (get_path(client, exchange, path, timeout_ms, err)) {
        reply = json_parse(exchange->reply.data, exchange->reply.len,
                           MODEL_MAX_REPLY, NULL);
        if (reply == NULL)
            refuse_other(client, "the reply is not JSON", err);
    }
    exchange_free(exchange);
    return reply;
}

static bool read_version(const struct model_client *client, const json_t *reply,
                         struct model_server *out, struct err *err)
{
    const char *version = client->backend->read_version(reply);

    if (version == NULL)
        return refuse_other(client, "something else answers there", err);
    (void)backend_copy(out->version, sizeof out->version, version);
    if (strstr(version, "simulated") != NULL)
        out->simulated = true;
    if (client->backend->read_server != NULL)
        client->backend->read_server(reply, out);
    return true;
}

static bool read_models(const struct model_client *client, const json_t *reply,
                        struct model_server *out, struct err *err)
{
    const json_t *list = json_object_get(reply, client->backend->models_key);
    size_t n = json_array_size(list);

    if (!json_is_array(list))
        return refuse_other(client, "the reply does not list models", err);
    if (n > MODELS_MAX)
        n = MODELS_MAX;
    out->models = calloc(n + 1, sizeof *out->models);
    if (out->models == NULL) {
        err_nomem(err, "a list of models");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *entry = json_array_get(list, i);
        struct model_info *model = &out->models[out->n_models];
        out->simulated |= client->backend->is_simulated(entry);
        if (client->backend->read_model(entry, model)) {
            if (out->context > 0)
                model->context = out->context;
            out->n_models++;
        } else {
            *model = (struct model_info){0};
        }
    }
    return true;
}

bool model_probe(struct model_client *client, int64_t timeout_ms,
                 struct model_server *out, struct err *err)
{
    const char *version_path = client->backend->version_path;
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    json_t *version = NULL;
    json_t *models = NULL;
    bool ok = false;

    *out = (struct model_server){0};
    if (version_path != NULL) {
        version = get_json(client, version_path, timeout_ms, err);
        if (version == NULL)
            goto out;
    }
    int64_t left_ms = deadline_ms - clock_monotonic_ms();
    models = get_json(client, client->backend->models_path,
                      left_ms > 1 ? left_ms : 1, err);
    if (models == NULL)
        goto out;
    ok = read_version(client, version == NULL ? models : version, out, err) &&
         read_models(client, models, out, err);

out:
    if (!ok)
        model_server_release(out);
    json_decref(version);
    json_decref(models);
    return ok;
}
