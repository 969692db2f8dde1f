#include "model/model.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "model/client.h"

enum { CONNECT_MS = 10000 };

static const struct model_backend *const backends[] = {
#define BACKEND(name) &backend_##name,
#include "model/backends.def"
#undef BACKEND
};
enum { BACKENDS = sizeof backends / sizeof backends[0] };

static const struct model_backend *find_backend(const char *name)
{
    for (size_t i = 0; i < BACKENDS; i++) {
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    }
    return NULL;
}

const char *model_backend_name(size_t i)
{
    return i < BACKENDS ? backends[i]->name : NULL;
}

// --- exchanges ---

static void free_list(struct exchange *exchange)
{
    while (exchange != NULL) {
        struct exchange *next = exchange->next;
        exchange_free(exchange);
        exchange = next;
    }
}

// Returns an exchange to the idle list, ready for another request.
static void recycle(struct model_client *client, struct exchange *exchange)
{
    exchange_clear(exchange);
    exchange->next = client->idle;
    client->idle = exchange;
}

static struct exchange *take_idle(struct model_client *client)
{
    struct exchange *exchange = client->idle;

    if (exchange == NULL)
        return exchange_new(client->address.url);
    client->idle = exchange->next;
    exchange->next = NULL;
    return exchange;
}

// --- creating and freeing ---

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool fill_client(struct model_client *client, struct err *err)
{
    (void)snprintf(client->chat_url, sizeof client->chat_url, "%s%s",
                   client->address.url, client->backend->chat_path);
    (void)snprintf(client->embed_url, sizeof client->embed_url, "%s%s",
                   client->address.url, client->backend->embed_path);
    client->multi = curl_multi_init();
    // An empty Expect header saves a round trip for requests over 1 KB.
    client->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (client->multi == NULL || client->headers == NULL ||
        curl_slist_append(client->headers, "Expect:") == NULL ||
        curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS,
                          (long)client->address.slots + 1) != CURLM_OK) {
        err_nomem(err, "a model client");
        return false;
    }
    return true;
}

struct model_client *model_client_new(const struct model_address *address,
                                      struct err *err)
{
    const struct model_backend *backend = find_backend(address->backend);

    if (backend == NULL) {
        err_set(
            err, ERR_INPUT,
            "\"%s\" is not a kind of model server: use ollama, llama or openai",
            address->backend);
        return NULL;
    }
    pthread_once(&curl_once, start_curl);
    struct model_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        err_nomem(err, "a model client");
        return NULL;
    }
    client->address = *address;
    client->backend = backend;
    client->done_end = &client->done;
    if (!fill_client(client, err)) {
        model_client_free(client);
        return NULL;
    }
    return client;
}

void model_client_free(struct model_client *client)
{
    if (client == NULL)
        return;
    for (struct exchange *at = client->open; at != NULL; at = at->next)
        curl_multi_remove_handle(client->multi, at->easy);
    free_list(client->open);
    free_list(client->done);
    free_list(client->idle);
    if (client->multi != NULL)
        curl_multi_cleanup(client->multi);
    curl_slist_free_all(client->headers);
    free(client);
}

// --- calls ---

static bool address_easy(const struct model_client *client,
                         struct exchange *exchange, int64_t timeout_ms)
{
    CURL *easy = exchange->easy;
    const char *url =
        exchange->kind == CALL_EMBED ? client->embed_url : client->chat_url;
    long connect_ms = timeout_ms < CONNECT_MS ? (long)timeout_ms : CONNECT_MS;

    exchange->reusable = false;
    exchange->answer_key = exchange->kind == CALL_EMBED
                               ? client->backend->embed_key
                               : client->backend->chat_key;
    return curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, client->headers) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t)exchange->request.len) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->request.data) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) ==
               CURLE_OK;
}

bool model_begin(struct model_client *client, int64_t id,
                 const struct call_request *request, int64_t timeout_ms,
                 struct err *err)
{
    assert(timeout_ms > 0);

    const struct exchange_to to = {client->backend, &client->address};
    struct exchange *exchange = take_idle(client);
    if (exchange == NULL) {
        err_nomem(err, "a call");
        return false;
    }
    if (!exchange_write(exchange, &to, id, request, err)) {
        recycle(client, exchange);
        return false;
    }
    exchange->timeout_ms = timeout_ms;
    if (!address_easy(client, exchange, timeout_ms) ||
        curl_multi_add_handle(client->multi, exchange->easy) != CURLM_OK) {
        err_nomem(err, "a call");
        recycle(client, exchange);
        return false;
    }
    exchange->next = client->open;
    client->open = exchange;
    client->n_open++;
    return true;
}

// Unlinks the exchange with that id from a list; NULL if it is not in it.
static struct exchange *unlink_id(struct exchange **list, int64_t id)
{
    for (; *list != NULL; list = &(*list)->next) {
        struct exchange *found = *list;
        if (found->result.id == id) {
            *list = found->next;
            return found;
        }
    }
    return NULL;
}

static void find_done_end(struct model_client *client)
{
    client->done_end = &client->done;
    while (*client->done_end != NULL)
        client->done_end = &(*client->done_end)->next;
}

void model_cancel(struct model_client *client, int64_t id)
{
    struct exchange *exchange = unlink_id(&client->open, id);

    if (exchange != NULL) {
        client->n_open--;
        curl_multi_remove_handle(client->multi, exchange->easy);
    } else {
        exchange = unlink_id(&client->done, id);
        find_done_end(client);
    }
    if (exchange != NULL)
        recycle(client, exchange);
}

size_t model_open(const struct model_client *client)
{
    return client->n_open;
}

void model_wake(struct model_client *client)
{
    (void)curl_multi_wakeup(client->multi);
}

// Sends what is left of the request again. Returns true if it was sent.
static bool ask_again(struct model_client *client, struct exchange *exchange)
{
    struct model_done again = {.id = exchange->result.id};

    buf_clear(&exchange->reply);
    exchange->sent_us = 0;
    if (exchange->request.failed ||
        !address_easy(client, exchange, exchange->timeout_ms) ||
        curl_multi_add_handle(client->multi, exchange->easy) != CURLM_OK)
        return false;
    call_answer_release(&exchange->result.answer);
    exchange->result = again;
    return true;
}

// A server that enforces no schema still gets the prompt, which describes the
// form as well, and its reply is read leniently.
static bool ask_without_format(struct model_client *client,
                               struct exchange *exchange)
{
    if (!client->warned_of_format)
        log_warn("no-format",
                 "the server at %s does not accept a JSON schema (%s); we ask "
                 "without one and read the replies leniently",
                 client->address.url, exchange->result.text);
    client->warned_of_format = true;
    exchange_drop_format(exchange);
    return ask_again(client, exchange);
}

// Log-probabilities only help a search, so an answer without them is fine.
static bool ask_without_logprobs(struct model_client *client,
                                 struct exchange *exchange)
{
    if (!client->warned_of_logprobs)
        log_warn("no-logprobs",
                 "the server at %s does not provide log-probabilities (%s); we "
                 "ask without them",
                 client->address.url, exchange->result.text);
    client->warned_of_logprobs = true;
    exchange_drop_logprobs(exchange);
    return ask_again(client, exchange);
}

// Returns true if the server refused an optional part of the request and the
// rest has been sent again.
static bool ask_for_less(struct model_client *client, struct exchange *exchange)
{
    struct model_reply reply;

    if (exchange->result.fault == FAULT_NONE)
        return false;
    reply = exchange_reply(exchange);
    if (exchange->logprobs_len > 0 && model_refuses_logprobs(&reply))
        return ask_without_logprobs(client, exchange);
    return exchange->format_len > 0 && model_refuses_format(&reply) &&
           ask_without_format(client, exchange);
}

static void finish(struct model_client *client, CURL *easy, CURLcode code)
{
    struct exchange *exchange = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&exchange);
    exchange_judge(exchange, client->backend, code);
    curl_multi_remove_handle(client->multi, easy);
    if (code == CURLE_OK && ask_for_less(client, exchange))
        return;
    for (struct exchange **at = &client->open; *at != NULL; at = &(*at)->next) {
        if (*at == exchange) {
            *at = exchange->next;
            break;
        }
    }
    client->n_open--;
    exchange->next = NULL;
    *client->done_end = exchange;
    client->done_end = &exchange->next;
}

static bool work(struct model_client *client, struct err *err)
{
    int running = 0;
    int queued = 0;
    CURLMcode code = curl_multi_perform(client->multi, &running);
    CURLMsg *said = NULL;

    if (code != CURLM_OK) {
        err_set(err, ERR_IO, "libcurl: %s", curl_multi_strerror(code));
        return false;
    }
    while ((said = curl_multi_info_read(client->multi, &queued)) != NULL) {
        if (said->msg == CURLMSG_DONE)
            finish(client, said->easy_handle, said->data.result);
    }
    return true;
}

bool model_poll(struct model_client *client, int extra_fd, int64_t timeout_ms,
                struct err *err)
{
    struct curl_waitfd extra = {.fd = extra_fd, .events = CURL_WAIT_POLLIN};

    if (!work(client, err))
        return false;
    if (client->done != NULL || timeout_ms <= 0)
        return true;
    CURLMcode code =
        curl_multi_poll(client->multi, &extra, extra_fd >= 0 ? 1 : 0,
                        timeout_ms > 60000 ? 60000 : (int)timeout_ms, NULL);
    if (code != CURLM_OK) {
        err_set(err, ERR_IO, "libcurl: %s", curl_multi_strerror(code));
        return false;
    }
    return work(client, err);
}

bool model_take_done(struct model_client *client, struct model_done *out)
{
    struct exchange *exchange = client->done;

    if (exchange == NULL)
        return false;
    client->done = exchange->next;
    if (client->done == NULL)
        client->done_end = &client->done;
    *out = exchange->result;
    exchange->result = (struct model_done){0};
    recycle(client, exchange);
    return true;
}
