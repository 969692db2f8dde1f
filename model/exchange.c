#include "model/exchange.h"

#include <inttypes.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/text.h"
#include "common/utf8.h"
#include "model/classify.h"
#include "model/reach.h"

// Probing a silent connection reveals that the other machine was restarted.
#define KEEPALIVE_S 5L
// A server that comes back at another address, as a pod does, is found there.
#define NAMES_S 2L

enum {
    REQUEST_MAX = 72 << 20, // the largest prefix and tail, plus options
    KEEP_BYTES = 1 << 20,   // larger buffers are freed after a call
    RETRY_MAX_S = 300,      // the longest Retry-After that we believe; for
    RETRY_LOOK_S = 10,      // a longer one we wait this long
    STALE_MS = 1000,        // a dead kept connection shows it within this
    UNHEARD_MS = 15000,     // limit for data to be acknowledged
    HEADERS_MOST = 250000,  // bytes; libcurl takes at most 300 KiB
    DETAIL_BYTES = 120,
    STATUS_OK = 200,
    STATUS_BUSY = 503,
};

// --- the handle ---

// Decides whether the connection is kept for another request. A proxy may give
// up on its server, answer for it, and send the server's reply after its own
// when that finally arrives. The next request on the connection would be
// answered with that reply, and each later one with the reply to the one
// before. libcurl drops a kept connection if it finds leftover data there, but
// only if that has arrived by the time of reuse. So we keep a connection only
// if the reply looks like an answer, or comes from a busy server. This has to
// be decided while the reply is read; afterwards another request may already be
// using the connection. `searched` is how much of the reply was searched
// before.
static void keep_for_answer(struct exchange *exchange, size_t searched)
{
    size_t overlap = strlen(exchange->answer_key);
    long status = 0;

    searched = searched > overlap ? searched - overlap : 0;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->reusable =
        status == STATUS_BUSY ||
        (status == STATUS_OK &&
         strstr(exchange->reply.data + searched, exchange->answer_key) != NULL);
    if (exchange->reusable)
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
    if (!exchange->reusable && len > 0)
        keep_for_answer(exchange, before);
    return len;
}

// Returns true if the request was first sent longer ago than a kept connection
// needs to show that the server had closed it.
static bool was_sent_before(const struct exchange *exchange)
{
    return exchange->sent_us > 0 &&
           clock_monotonic_us() - exchange->sent_us > STALE_MS * 1000;
}

// libcurl repeats a request if a kept connection ends before the first byte of
// a reply. That is right if the server had closed it before. If the server
// worked on the request and died, it is a fault of the call. Were it repeated,
// a call that kills its server would do so unnoticed and would count as
// refused, since no one listens any more.
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

// Bounds how long sent data may stay unacknowledged. Otherwise the system would
// resend ever more rarely, and after an outage of a minute the repair would be
// noticed up to a minute late. On systems without such a bound, the connection
// works without it.
static int limit_unacknowledged(void *user, curl_socket_t fd,
                                curlsocktype purpose)
{
    unsigned int ms = UNHEARD_MS;

    (void)user, (void)purpose;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    return CURL_SOCKOPT_OK;
}

// No program that is started meanwhile inherits the connection: it would stay
// open after we closed it, and the server would work on for nobody. Ours are
// started without it anyway, but the C library has a host that starts its own.
static curl_socket_t open_socket(void *user, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    (void)user, (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

static bool set_up_easy(CURL *easy, const char *url, void *exchange)
{
    // Model servers are in the user's own network, so a proxy from the
    // environment is only for https.
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
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION,
                            limit_unacknowledged) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S) ==
               CURLE_OK &&
           // Asks for no compression, but reads it if a proxy compresses.
           curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "identity") ==
               CURLE_OK &&
           reach_set_up(easy, url, direct);
}

void exchange_free(struct exchange *exchange)
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

struct exchange *exchange_new(const char *url)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);

    if (exchange == NULL)
        return NULL;
    exchange->request = BUF_INIT(REQUEST_MAX);
    exchange->reply = BUF_INIT(MODEL_MAX_REPLY);
    exchange->answer_key = "";
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL || !set_up_easy(exchange->easy, url, exchange)) {
        exchange_free(exchange);
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

void exchange_clear(struct exchange *exchange)
{
    clear_buffer(&exchange->request);
    clear_buffer(&exchange->reply);
    call_answer_release(&exchange->result.answer);
    exchange->result = (struct model_done){0};
    exchange->too_large = false;
    exchange->sent_us = 0;
}

// --- the request ---

// Appends what a chat has besides its messages.
static void put_chat_options(const struct exchange_to *to,
                             const struct call_request *request,
                             struct exchange *exchange)
{
    struct buf *out = &exchange->request;

    to->backend->put_options(out, &request->options, to->address);
    exchange->logprobs_at = out->len;
    if (request->options.top_logprobs > 0)
        buf_printf(out, ",\"logprobs\":true,\"top_logprobs\":%" PRId32,
                   request->options.top_logprobs);
    exchange->logprobs_len = out->len - exchange->logprobs_at;
    exchange->format_at = out->len;
    if (request->format != NULL)
        to->backend->put_format(out, request->format);
    exchange->format_len = out->len - exchange->format_at;
}

static void put_embed_options(const struct exchange_to *to,
                              const struct call_request *request,
                              struct exchange *exchange)
{
    exchange->logprobs_len = exchange->format_len = 0;
    to->backend->put_embed_options(&exchange->request, &request->options,
                                   to->address);
}

// Writes {"model":...,"messages":[...] or "input":[...], and what the backend
// adds.
static bool write_request(const struct exchange_to *to,
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
        put_embed_options(to, request, exchange);
    else
        put_chat_options(to, request, exchange);
    buf_putc(out, '}');
    return buf_ok(out, "a request", err);
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

bool exchange_write(struct exchange *exchange, const struct exchange_to *to,
                    int64_t id, const struct call_request *request,
                    struct err *err)
{
    if (!write_request(to, request, exchange, err))
        return false;
    note_request(exchange, id, request);
    return true;
}

void exchange_drop_format(struct exchange *exchange)
{
    exchange->request.len = exchange->format_at;
    buf_putc(&exchange->request, '}');
    exchange->format_len = 0;
}

void exchange_drop_logprobs(struct exchange *exchange)
{
    struct buf *request = &exchange->request;
    char *at = request->data + exchange->logprobs_at;
    size_t len = exchange->logprobs_len;

    memmove(at, at + len, request->len - exchange->logprobs_at - len + 1);
    request->len -= len;
    exchange->format_at -= len;
    exchange->logprobs_len = 0;
}

// --- the reply ---

// A timeout before there was a connection means that the machine is not there.
static enum model_exchange explain_timeout(CURL *easy)
{
    curl_off_t asked_us = 0, began_us = 0;

    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &asked_us);
    curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &began_us);
    if (asked_us <= 0)
        return EXCHANGE_REFUSED;
    return began_us > 0 ? EXCHANGE_TOO_SLOW : EXCHANGE_TIMEOUT;
}

// If a request was sent long ago, its connection ended it, whatever came of the
// attempt to send it again.
static CURLcode real_cause(const struct exchange *exchange, CURLcode code)
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

// libcurl reports too many bytes of headers as a failure to receive.
static bool has_huge_headers(CURL *easy)
{
    long size = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &size);
    return size > HEADERS_MOST;
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
    case CURLE_UNSUPPORTED_PROTOCOL: // HTTP/0.9, which is any bytes at all
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_OUT_OF_MEMORY: // before 8.6 also a header over 100 KB
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE: // a header over 100 KB
#endif
        return EXCHANGE_NOT_HTTP;
    default:
        return exchange->too_large                ? EXCHANGE_TOO_LARGE
               : has_huge_headers(exchange->easy) ? EXCHANGE_NOT_HTTP
                                                  : EXCHANGE_BROKEN;
    }
}

// Writes what the network reported; "" if it has nothing to add.
static void put_detail(const struct exchange *exchange, enum model_exchange how,
                       CURLcode code, char *out, size_t size)
{
    double s = (double)(clock_monotonic_us() - exchange->begun_us) / 1e6;

    out[0] = '\0';
    if (how == EXCHANGE_TIMEOUT)
        text_print(out, size, "nothing received after %.1f s", s);
    else if (how == EXCHANGE_TOO_SLOW)
        text_print(out, size, "%zu bytes of it received after %.1f s",
                   exchange->reply.len, s);
    else if (code != CURLE_OK && !exchange->too_large)
        text_print(out, size, "%s", curl_easy_strerror(code));
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

// Limits the times that the server reports to the time that passed here,
// because a false pace would make the next calls wait too long.
static void set_times(struct call_answer *answer, int64_t total_us)
{
    answer->total_us = total_us;
    answer->load_us = at_most(answer->load_us, total_us);
    answer->prompt_us = at_most(answer->prompt_us, total_us);
    answer->generate_us = at_most(answer->generate_us, total_us);
}

void exchange_judge(struct exchange *exchange,
                    const struct model_backend *backend, CURLcode how)
{
    const CURLcode code = real_cause(exchange, how);
    const struct model_asked asked = {
        .kind = exchange->kind,
        .model = exchange->model,
        .messages = exchange->request.data + exchange->messages_at,
        .messages_len = exchange->messages_len,
        .num_ctx = exchange->num_ctx,
        .num_predict = exchange->num_predict,
        .logprobs = exchange->logprobs_len > 0,
    };
    char detail[DETAIL_BYTES];
    struct model_reply reply = {
        .exchange = explain_code(exchange, code),
        .body = exchange->reply.data == NULL ? "" : exchange->reply.data,
        .len = exchange->reply.len,
        .detail = detail,
        .location = "",
    };

    put_detail(exchange, reply.exchange, code, detail, sizeof detail);
    read_headers(exchange->easy, &reply);
    model_classify(backend, &asked, &reply, &exchange->result);
    if (exchange->result.fault == FAULT_BUSY)
        exchange->result.retry_ms = reply.retry_ms;
    set_times(&exchange->result.answer,
              clock_monotonic_us() - exchange->begun_us);
}

struct model_reply exchange_reply(const struct exchange *exchange)
{
    struct model_reply reply = {
        .exchange = EXCHANGE_DONE,
        .body = exchange->reply.data == NULL ? "" : exchange->reply.data,
        .len = exchange->reply.len,
        .detail = "",
        .location = ""};

    read_headers(exchange->easy, &reply);
    return reply;
}
