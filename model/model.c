#include "model/model.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/utf8.h"
#include "model/backend.h"
#include "model/classify.h"
#include "model/reach.h"

// A machine that was restarted says so when a silent connection is probed.
#define KEEPALIVE_S 5L
// A server that comes back at another address, as a pod does, is found there.
#define NAMES_S 2L

enum {
    STATUS_BYTES = 600,     // of what a server says of a status
    REQUEST_MAX = 72 << 20, // prefix and tail at their largest, and options
    CONNECT_MS = 10000,
    KEEP_BYTES = 1 << 20, // larger buffers are freed after a call
    NAME_MAX_BYTES = 256,
    URL_MAX = 640,
    MODELS_MAX = 4096,  // entries of a list of models that are read
    RETRY_MAX_S = 300,  // of Retry-After; what is longer is not believed, and
    RETRY_LOOK_S = 10,  // it is asked again so soon
    STALE_MS = 1000,    // by then a kept connection has shown that it is dead
    UNHEARD_MS = 15000, // what was sent is acknowledged, or it is over
};

static const struct model_backend *const backends[] = {
#define BACKEND(name) &backend_##name,
#include "model/backends.def"
#undef BACKEND
};
enum { BACKENDS = sizeof backends / sizeof backends[0] };

// One request and its reply. Lives in one of three lists of its client: open
// (curl works on it), done (waits to be taken) or idle (to be used again, with
// its easy handle and its grown buffers).
struct exchange {
    struct exchange *next;
    CURL *easy; // owned
    struct buf request;
    struct buf reply;
    size_t messages_at; // where the array of messages stands in request
    size_t messages_len;
    size_t format_at; // and the output format; format_len is 0 without one
    size_t format_len;
    size_t logprobs_at; // the same of what asks for log-probabilities
    size_t logprobs_len;
    int64_t timeout_ms;
    enum call_kind kind;
    char model[NAME_MAX_BYTES]; // cut, for people
    int32_t num_ctx;
    int32_t num_predict;
    int64_t begun_us;
    int64_t sent_us; // when it first was to be sent over a connection; 0: not
    bool too_large;
    const char *answer_key; // what the reply holds if it is an answer
    bool kept;              // its connection, for the next request
    struct model_done result;
};

struct model_client {
    struct model_address address;
    const struct model_backend *backend;
    CURLM *multi;               // owned
    struct curl_slist *headers; // owned
    char chat_url[URL_MAX];
    char embed_url[URL_MAX];
    struct exchange *open;
    struct exchange *done; // oldest first
    struct exchange **done_end;
    struct exchange *idle;
    size_t n_open;
    bool told_of_format;   // that the server takes none
    bool told_of_logprobs; // that the server gives none
};

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

// ---- exchanges

enum { STATUS_OK = 200, STATUS_BUSY = 503 };

// A front that gives up on its server, and sends the reply behind its own when
// that comes at last, would have the next request on the connection answered
// with it, and each one after it with the reply to the one before. libcurl
// drops a kept connection on which it finds more, but only if that has come
// when it is used again. So one is kept only for a reply that looks like an
// answer, or is a busy server's. This has to be said while it is read:
// afterwards another request may be on it. searched is what of the reply was
// looked through before.
static void keep_for_answer(struct exchange *exchange, size_t searched)
{
    size_t overlap = strlen(exchange->answer_key);
    long status = 0;

    searched = searched > overlap ? searched - overlap : 0;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->kept =
        status == STATUS_BUSY ||
        (status == STATUS_OK &&
         strstr(exchange->reply.data + searched, exchange->answer_key) != NULL);
    if (exchange->kept)
        (void)curl_easy_setopt(exchange->easy, CURLOPT_FORBID_REUSE, 0L);
}

static size_t take_bytes(char *data, size_t size, size_t n, void *user)
{
    struct exchange *exchange = user;
    size_t before = exchange->reply.len;
    size_t len = size * n;

    if (before + len > MODEL_MAX_REPLY)
        exchange->too_large = true;
    buf_append(&exchange->reply, data, len);
    if (exchange->reply.failed)
        return 0;
    if (!exchange->kept && len > 0)
        keep_for_answer(exchange, before);
    return len;
}

// How long ago the request was first to be sent is more than a kept connection
// takes to show that the server has closed it meanwhile.
static bool was_sent_before(const struct exchange *exchange)
{
    return exchange->sent_us > 0 &&
           clock_monotonic_us() - exchange->sent_us > STALE_MS * 1000;
}

// libcurl sends a request again by itself when a kept connection ends before
// any byte of a reply. That is right where the server had closed it before. A
// server that has worked on it and died is another thing: this is a fault of
// the call (were it asked again, a call that kills its server would do so in
// silence, and count as refused, since nobody listens any more).
static int before_sending(void *user, char *to, char *from, int to_port,
                          int from_port)
{
    struct exchange *exchange = user;

    (void)to, (void)from, (void)to_port, (void)from_port;
    if (was_sent_before(exchange))
        return CURL_PREREQFUNC_ABORT;
    if (exchange->sent_us == 0)
        exchange->sent_us = clock_monotonic_us();
    return CURL_PREREQFUNC_OK;
}

// Without it a request that met a broken network is sent again more and more
// seldom: after a minute's outage the repair would be noticed up to a minute
// late. Where the system knows no such bound the connection does without.
static int bound_silence(void *user, curl_socket_t fd, curlsocktype purpose)
{
    unsigned int ms = UNHEARD_MS;

    (void)user, (void)purpose;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    return CURL_SOCKOPT_OK;
}

static bool set_up_easy(const struct model_client *client, CURL *easy,
                        void *exchange)
{
    const char *url = client->address.url;
    // Model servers are in the user's own network: a proxy from the environment
    // is for https only.
    bool direct = strncmp(url, "http://", 7) == 0;

    return curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                            CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_bytes) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_sending) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, NAMES_S) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, bound_silence) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S) ==
               CURLE_OK &&
           // Asks for no compression, but reads it where a proxy compresses.
           curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "identity") ==
               CURLE_OK &&
           reach_set_up(easy, url, direct);
}

static void free_exchange(struct exchange *exchange)
{
    if (exchange == NULL)
        return;
    if (exchange->easy != NULL)
        curl_easy_cleanup(exchange->easy);
    buf_release(&exchange->request);
    buf_release(&exchange->reply);
    call_answer_release(&exchange->result.answer);
    free(exchange);
}

static void free_list(struct exchange *exchange)
{
    while (exchange != NULL) {
        struct exchange *next = exchange->next;
        free_exchange(exchange);
        exchange = next;
    }
}

static struct exchange *new_exchange(const struct model_client *client)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);

    if (exchange == NULL)
        return NULL;
    exchange->request = BUF_INIT(REQUEST_MAX);
    exchange->reply = BUF_INIT(MODEL_MAX_REPLY);
    exchange->answer_key = "";
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL ||
        !set_up_easy(client, exchange->easy, exchange)) {
        free_exchange(exchange);
        return NULL;
    }
    return exchange;
}

static void clear_buffer(struct buf *buf)
{
    if (buf->cap > KEEP_BYTES)
        buf_release(buf);
    buf_clear(buf);
}

// Back to the idle ones, ready for another request.
static void recycle(struct model_client *client, struct exchange *exchange)
{
    clear_buffer(&exchange->request);
    clear_buffer(&exchange->reply);
    call_answer_release(&exchange->result.answer);
    exchange->result = (struct model_done){0};
    exchange->too_large = false;
    exchange->sent_us = 0;
    exchange->next = client->idle;
    client->idle = exchange;
}

static struct exchange *take_idle(struct model_client *client)
{
    struct exchange *exchange = client->idle;

    if (exchange == NULL)
        return new_exchange(client);
    client->idle = exchange->next;
    exchange->next = NULL;
    return exchange;
}

// ---- birth and death

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
    // An empty Expect spares a round trip on requests over 1 KB.
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

// ---- calls

// What a chat has beside its messages.
static void put_chat_options(const struct model_client *client,
                             const struct call_request *request,
                             struct exchange *exchange)
{
    struct buf *out = &exchange->request;

    client->backend->put_options(out, &request->options, &client->address);
    exchange->logprobs_at = out->len;
    if (request->options.top_logprobs > 0)
        buf_printf(out, ",\"logprobs\":true,\"top_logprobs\":%" PRId32,
                   request->options.top_logprobs);
    exchange->logprobs_len = out->len - exchange->logprobs_at;
    exchange->format_at = out->len;
    if (request->format != NULL)
        client->backend->put_format(out, request->format);
    exchange->format_len = out->len - exchange->format_at;
}

static void put_embed_options(const struct model_client *client,
                              const struct call_request *request,
                              struct exchange *exchange)
{
    exchange->logprobs_len = exchange->format_len = 0;
    client->backend->put_embed_options(&exchange->request, &request->options,
                                       &client->address);
}

// {"model":...,"messages":[...] or "input":[...], and what the backend adds.
static bool write_request(const struct model_client *client,
                          const struct call_request *request,
                          struct exchange *exchange, struct err *err)
{
    struct buf *out = &exchange->request;

    if (!isfinite(request->options.temperature)) {
        err_set(err, ERR_INPUT, "the temperature of a call is not a number");
        return false;
    }
    buf_puts(out, "{\"model\":");
    buf_put_json(out, request->model, strlen(request->model));
    buf_puts(out,
             request->kind == CALL_EMBED ? ",\"input\":" : ",\"messages\":");
    exchange->messages_at = out->len;
    buf_append(out, request->prefix, request->prefix_len);
    buf_append(out, request->tail, request->tail_len);
    exchange->messages_len = out->len - exchange->messages_at;
    if (request->kind == CALL_EMBED)
        put_embed_options(client, request, exchange);
    else
        put_chat_options(client, request, exchange);
    buf_putc(out, '}');
    return buf_ok(out, "a request", err);
}

static bool address_easy(const struct model_client *client,
                         struct exchange *exchange, int64_t timeout_ms)
{
    CURL *easy = exchange->easy;
    const char *url =
        exchange->kind == CALL_EMBED ? client->embed_url : client->chat_url;
    long connect_ms = timeout_ms < CONNECT_MS ? (long)timeout_ms : CONNECT_MS;

    exchange->kept = false;
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

static void note_request(struct exchange *exchange, int64_t id,
                         const struct call_request *request)
{
    size_t len = strlen(request->model);

    if (len >= sizeof exchange->model)
        len = utf8_cut(request->model, sizeof exchange->model - 1);
    exchange->kind = request->kind;
    memcpy(exchange->model, request->model, len);
    exchange->model[len] = '\0';
    exchange->num_ctx = request->options.num_ctx;
    exchange->num_predict = request->options.num_predict;
    exchange->result.id = id;
    exchange->begun_us = clock_monotonic_us();
}

bool model_begin(struct model_client *client, int64_t id,
                 const struct call_request *request, int64_t timeout_ms,
                 struct err *err)
{
    assert(timeout_ms > 0);

    struct exchange *exchange = take_idle(client);
    if (exchange == NULL) {
        err_nomem(err, "a call");
        return false;
    }
    if (!write_request(client, request, exchange, err)) {
        recycle(client, exchange);
        return false;
    }
    note_request(exchange, id, request);
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

// Unlinks the exchange of id from a list; NULL when it is not there.
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

// A time-out before there was a connection is a machine that is not there.
static enum model_exchange explain_timeout(CURL *easy)
{
    curl_off_t asked_us = 0;

    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &asked_us);
    return asked_us > 0 ? EXCHANGE_TIMEOUT : EXCHANGE_REFUSED;
}

// What ended a request that had been sent long before: the connection that it
// was on, and not what came of the attempt to send it again.
static CURLcode what_ended(const struct exchange *exchange, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
        return was_sent_before(exchange) ? CURLE_GOT_NOTHING : code;
    default:
        return code;
    }
}

static enum model_exchange explain_code(const struct exchange *exchange,
                                        CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return EXCHANGE_DONE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return EXCHANGE_REFUSED;
    case CURLE_OPERATION_TIMEDOUT:
        return explain_timeout(exchange->easy);
    default:
        return exchange->too_large ? EXCHANGE_TOO_LARGE : EXCHANGE_BROKEN;
    }
}

static void read_headers(CURL *easy, struct model_reply *reply)
{
    char *location = NULL;
    curl_off_t retry_s = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &location);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_s);
    if (location != NULL)
        reply->location = location;
    if (retry_s > 0)
        reply->retry_ms =
            (retry_s <= RETRY_MAX_S ? retry_s : RETRY_LOOK_S) * 1000;
}

static int64_t at_most(int64_t us, int64_t most_us)
{
    return us < most_us ? us : most_us;
}

// What the server says of its times is cut to the time that has passed here: a
// pace that is a lie would let the next calls wait for too long.
static void set_times(struct call_answer *answer, int64_t total_us)
{
    answer->total_us = total_us;
    answer->load_us = at_most(answer->load_us, total_us);
    answer->prompt_us = at_most(answer->prompt_us, total_us);
    answer->generate_us = at_most(answer->generate_us, total_us);
}

static void classify(struct model_client *client, struct exchange *exchange,
                     CURLcode code)
{
    const struct model_asked asked = {
        .kind = exchange->kind,
        .model = exchange->model,
        .messages = exchange->request.data + exchange->messages_at,
        .messages_len = exchange->messages_len,
        .num_ctx = exchange->num_ctx,
        .num_predict = exchange->num_predict,
        .logprobs = exchange->logprobs_len > 0,
    };
    struct model_reply reply = {
        .exchange = explain_code(exchange, code),
        .body = exchange->reply.data == NULL ? "" : exchange->reply.data,
        .len = exchange->reply.len,
        .detail = code == CURLE_OK || exchange->too_large
                      ? ""
                      : curl_easy_strerror(code),
        .location = "",
    };

    read_headers(exchange->easy, &reply);
    model_classify(client->backend, &asked, &reply, &exchange->result);
    if (exchange->result.fault == FAULT_BUSY)
        exchange->result.retry_ms = reply.retry_ms;
    set_times(&exchange->result.answer,
              clock_monotonic_us() - exchange->begun_us);
}

// Sends what is left of the request. True when it is on its way.
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

// A server that keeps to no schema still gets the prompt, which names the form
// too, and its reply is read leniently.
static bool ask_without_format(struct model_client *client,
                               struct exchange *exchange)
{
    if (!client->told_of_format)
        log_warn("no-format",
                 "the server at %s takes no JSON schema (%s); it is asked "
                 "without one, and its replies are read leniently",
                 client->address.url, exchange->result.text);
    client->told_of_format = true;
    exchange->request.len = exchange->format_at;
    buf_putc(&exchange->request, '}');
    exchange->format_len = 0;
    return ask_again(client, exchange);
}

// Log-probabilities only help a search, so an answer without them will do.
static bool ask_without_logprobs(struct model_client *client,
                                 struct exchange *exchange)
{
    struct buf *request = &exchange->request;
    char *at = request->data + exchange->logprobs_at;
    size_t len = exchange->logprobs_len;

    if (!client->told_of_logprobs)
        log_warn("no-logprobs",
                 "the server at %s gives no log-probabilities (%s); it is "
                 "asked without them",
                 client->address.url, exchange->result.text);
    client->told_of_logprobs = true;
    memmove(at, at + len, request->len - exchange->logprobs_at - len + 1);
    request->len -= len;
    exchange->format_at -= len;
    exchange->logprobs_len = 0;
    return ask_again(client, exchange);
}

// Whether the server refused a part of the request that may be left out, and
// the rest is on its way.
static bool ask_for_less(struct model_client *client, struct exchange *exchange)
{
    struct model_reply reply = {
        .exchange = EXCHANGE_DONE,
        .body = exchange->reply.data == NULL ? "" : exchange->reply.data,
        .len = exchange->reply.len,
    };

    if (exchange->result.fault == FAULT_NONE)
        return false;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &reply.status);
    if (exchange->logprobs_len > 0 && model_refuses_logprobs(&reply))
        return ask_without_logprobs(client, exchange);
    return exchange->format_len > 0 && model_refuses_format(&reply) &&
           ask_without_format(client, exchange);
}

static void finish(struct model_client *client, CURL *easy, CURLcode code)
{
    struct exchange *exchange = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&exchange);
    classify(client, exchange, what_ended(exchange, code));
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

// ---- probing

// Whoever answers there is no such server.
static bool refuse_other(const struct model_client *client, const char *why,
                         struct err *err)
{
    err_set(err, ERR_PROTOCOL,
            "no %s server is at %s: %s; is the address right, and the kind of "
            "server (--ollama, --openai, --llama)?",
            client->backend->name, client->address.url, why);
    return false;
}

// Nobody answers; or somebody does, and there is no agreement on TLS.
static bool refuse_silent(const struct model_client *client, CURLcode code,
                          struct err *err)
{
    const char *url = client->address.url;
    const char *why = curl_easy_strerror(code);

    if (code == CURLE_PEER_FAILED_VERIFICATION ||
        code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CACERT_BADFILE)
        err_set(err, ERR_PROTOCOL, "%s: %s; %s", url, why, reach_remedy(code));
    else
        err_set(err, ERR_IO, "no %s server answers at %s (%s); %s",
                client->backend->name, url, why, reach_remedy(code));
    return false;
}

// It answers, but not what was asked for. A 404 is no model server's.
static bool refuse_status(const struct model_client *client,
                          struct exchange *exchange, long status,
                          const char *path, struct err *err)
{
    const char *location = NULL;
    char text[STATUS_BYTES];

    if (status == 404)
        return refuse_other(client,
                            "something else answers there, and knows "
                            "nothing of what was asked (HTTP status 404)",
                            err);
    curl_easy_getinfo(exchange->easy, CURLINFO_REDIRECT_URL, &location);
    const struct model_reply reply = {
        .status = status,
        .body = exchange->reply.data == NULL ? "" : exchange->reply.data,
        .len = exchange->reply.len,
        .detail = "",
        .location = location == NULL ? "" : location};
    model_status_text(&reply, text, sizeof text);
    err_set(err, status >= 500 ? ERR_FAULT : ERR_PROTOCOL, "%s%s: %s",
            client->address.url, path, text);
    return false;
}

static bool get_path(struct model_client *client, struct exchange *exchange,
                     const char *path, int64_t timeout_ms, struct err *err)
{
    char url[URL_MAX];
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
    struct exchange *exchange = new_exchange(client);
    json_t *reply = NULL;

    if (exchange == NULL) {
        err_nomem(err, "a request");
        return NULL;
    }
    if (get_path(client, exchange, path, timeout_ms, err)) {
        reply = json_parse(exchange->reply.data, exchange->reply.len,
                           MODEL_MAX_REPLY, NULL);
        if (reply == NULL)
            refuse_other(client, "what answers there is no JSON", err);
    }
    free_exchange(exchange);
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
        return refuse_other(client, "what answers there lists no models", err);
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
