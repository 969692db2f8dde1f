#include "http/server.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <microhttpd.h>

#include "common/error_document.h"
#include "common/log.h"
#include "common/text.h"
#include "common/thread.h"
#include "http/crowd.h"
#include "http/linger.h"
#include "http/listen.h"

enum {
    CROWD_MOST = 2,         // times max_connections, until the crowd is thinned
    STACK_BYTES = 2 << 20,  // for a connection's thread: SQLite, deep JSON
    SILENCE_S = 30,         // without a byte either way
    STREAM_BYTES = 1 << 20, // of a stream, waiting to be sent
    STREAM_BLOCK = 16 << 10,
    TOO_LARGE = 413, // the library has had several names for this
};

struct http_server {
    struct http_options options;
    struct crowd *crowd;
    struct MHD_Daemon *daemon;
    char place[HTTP_ADDRESS_TEXT];
};

// A request while it arrives and is answered.
struct incoming {
    struct http_server *server;
    struct line *line; // borrowed
    struct buf body;
    char *path;
    bool head;
    bool early; // answered before its body was read
};

// --- connections ---

// The notice that a connection is closed comes before its descriptor is closed,
// and takes the lock. So a descriptor in the list always belongs to its
// connection.
static void on_connection(void *user, struct MHD_Connection *connection,
                          void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = user;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context != NULL)
            crowd_remove(server->crowd, *context);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL)
        *context = crowd_add(server->crowd, info->connect_fd);
}

// --- streams ---

struct flow {
    struct http_server *server;
    struct http_stream stream;
    struct buf waiting; // to be sent
    size_t at;
};

static ssize_t read_flow(void *user, uint64_t position, char *out, size_t max)
{
    struct flow *flow = user;

    (void)position;
    while (flow->at == flow->waiting.len) {
        buf_clear(&flow->waiting);
        flow->at = 0;
        if (crowd_is_closed(flow->server->crowd) ||
            !flow->stream.next(flow->stream.user, &flow->waiting) ||
            flow->waiting.failed)
            return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t n = flow->waiting.len - flow->at;
    n = n < max ? n : max;
    memcpy(out, flow->waiting.data + flow->at, n);
    flow->at += n;
    return (ssize_t)n;
}

static void free_flow(void *user)
{
    struct flow *flow = user;

    crowd_leave_stream(flow->server->crowd);
    flow->stream.close(flow->stream.user);
    buf_release(&flow->waiting);
    free(flow);
}

// Returns NULL if there are too many streams. The stream is closed in any case.
static struct MHD_Response *stream_response(struct http_server *server,
                                            const struct http_stream *stream)
{
    struct flow *flow = calloc(1, sizeof *flow);

    if (flow == NULL || !crowd_take_stream(server->crowd)) {
        free(flow);
        stream->close(stream->user);
        return NULL;
    }
    flow->server = server;
    flow->stream = *stream;
    flow->waiting = BUF_INIT(STREAM_BYTES);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_flow, flow, free_flow);
    if (response == NULL)
        free_flow(flow);
    return response;
}

// --- replies ---

void http_reply_header(struct http_reply *reply, const char *name,
                       const char *value)
{
    size_t len = strlen(value);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)value[i] < ' ' || value[i] == 0x7F)
            return;
    if (len >= HTTP_VALUE_BYTES || reply->n_headers == HTTP_MAX_HEADERS)
        return;
    reply->headers[reply->n_headers].name = name;
    memcpy(reply->headers[reply->n_headers].value, value, len + 1);
    reply->n_headers++;
}

static struct MHD_Response *body_response(struct http_reply *reply)
{
    size_t len = reply->body.len;
    char *data = buf_take(&reply->body);

    if (data == NULL)
        return NULL;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(data);
    return response;
}

static struct MHD_Response *make_response(struct http_server *server,
                                          struct http_reply *reply)
{
    if (reply->stream.next != NULL)
        return stream_response(server, &reply->stream);
    if (reply->fixed != NULL)
        return MHD_create_response_from_buffer(
            reply->fixed_len, (void *)reply->fixed, MHD_RESPMEM_PERSISTENT);
    return body_response(reply);
}

// Sends an error for a request that no handler sees. Closes the connection.
static enum MHD_Result send_error(struct MHD_Connection *connection,
                                  unsigned status, const struct err *err)
{
    char *document = error_document(err);

    if (document == NULL)
        return MHD_NO;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(document), document, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(document);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  "application/json");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION,
                                  "close");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_reply(struct MHD_Connection *connection,
                                  struct http_server *server,
                                  struct http_reply *reply)
{
    bool streams = reply->stream.next != NULL;
    struct err err = ERR_CLEAR;

    if (reply->body.failed) {
        err_set(&err, ERR_LIMIT, "the answer is too long: ask for less of it");
        log_warn("request-failed", "500: %s", err.text);
        return send_error(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, &err);
    }
    struct MHD_Response *response = make_response(server, reply);
    if (response == NULL && streams)
        err_set(&err, ERR_BUSY, "too many pages are already following this");
    else if (response == NULL)
        err_nomem(&err, "the answer");
    if (response == NULL)
        return send_error(connection, MHD_HTTP_SERVICE_UNAVAILABLE, &err);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  reply->type);
    for (size_t i = 0; i < reply->n_headers; i++)
        (void)MHD_add_response_header(response, reply->headers[i].name,
                                      reply->headers[i].value);
    enum MHD_Result result =
        MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum urgency urgency_of(const char *path)
{
    if (strcmp(path, "/healthz") == 0)
        return URGENCY_ALIVE;
    if (strcmp(path, "/readyz") == 0 || strcmp(path, "/metrics") == 0)
        return URGENCY_STATE;
    return URGENCY_NONE;
}

static void refuse(struct http_server *server, struct http_reply *reply)
{
    struct err err = ERR_CLEAR;
    char *document;

    if (crowd_is_closed(server->crowd))
        err_set(&err, ERR_STOPPED, "the server is stopping");
    else
        err_set(&err, ERR_BUSY,
                "too many requests are in progress: ask again later");
    document = error_document(&err);
    reply->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    reply->type = "application/json";
    http_reply_header(reply, "Retry-After", "1");
    buf_puts(&reply->body, document == NULL ? "{}" : document);
    free(document);
}

static enum MHD_Result answer(struct MHD_Connection *connection,
                              struct incoming *incoming, const char *method)
{
    struct http_server *server = incoming->server;
    struct http_request request = {
        .method = incoming->head ? "GET" : method,
        .path = incoming->path,
        .body = incoming->body.data == NULL ? "" : incoming->body.data,
        .body_len = incoming->body.len,
        .connection = connection};
    struct http_reply reply = {.status = MHD_HTTP_OK,
                               .type = "text/plain; charset=utf-8",
                               .body = BUF_INIT(server->options.max_reply)};

    if (crowd_begin_work(server->crowd, incoming->line,
                         urgency_of(incoming->path)))
        server->options.handler(server->options.user, &request, &reply);
    else
        refuse(server, &reply);
    crowd_enter(server->crowd, incoming->line,
                reply.stream.next != NULL ? PHASE_STREAM : PHASE_REPLY);
    if (reply.stream.next == NULL)
        buf_puts(&reply.body, ""); // so that there are bytes to hand over
    enum MHD_Result result = send_reply(connection, server, &reply);
    buf_release(&reply.body);
    return result;
}

// --- requests ---

static enum MHD_Result count_length(void *cls, enum MHD_ValueKind kind,
                                    const char *name, const char *value)
{
    size_t *n = cls;

    (void)kind;
    (void)value;
    *n += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
          strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

static void explain_long(size_t max, struct err *err)
{
    if (max % (1 << 20) == 0)
        err_set(err, ERR_LIMIT,
                "the request is too long: its body may have at most %zu MiB",
                max >> 20);
    else
        err_set(err, ERR_LIMIT,
                "the request is too long: its body may have at most %zu bytes",
                max);
}

// Returns the status for which a request is refused by its headers alone; 0 if
// it is not. If a length is given twice, we would read one of them, and a proxy
// in front perhaps the other: that could hide a request of somebody else.
static unsigned refusal_of_head(struct MHD_Connection *connection, size_t max,
                                struct err *err)
{
    const char *length = MHD_lookup_connection_value(
        connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    size_t n = 0;

    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, count_length,
                                    &n);
    if (n > 1) {
        err_set(err, ERR_INPUT,
                "the request says more than once how long it is");
        return MHD_HTTP_BAD_REQUEST;
    }
    if (length == NULL || strtoull(length, NULL, 10) <= max)
        return 0;
    explain_long(max, err);
    return TOO_LARGE;
}

static struct incoming *begin_visit(struct http_server *server,
                                    struct MHD_Connection *connection,
                                    const char *url, const char *method)
{
    struct incoming *incoming = calloc(1, sizeof *incoming);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    if (incoming == NULL)
        return NULL;
    incoming->server = server;
    incoming->line = info == NULL ? NULL : info->socket_context;
    incoming->body = BUF_INIT(server->options.max_body);
    incoming->head = strcmp(method, "HEAD") == 0;
    incoming->path = strdup(url);
    if (incoming->path == NULL) {
        free(incoming);
        return NULL;
    }
    return incoming;
}

// A NUL would end the text for us but not for the sender, so it becomes a byte
// that does not occur in UTF-8.
static size_t unescape(void *user, struct MHD_Connection *connection,
                       char *text)
{
    (void)user;
    (void)connection;
    for (char *at = text; (at = strstr(at, "%00")) != NULL; at += 3)
        memcpy(at, "%FF", 3);
    return MHD_http_unescape(text);
}

static enum MHD_Result check_text(void *cls, enum MHD_ValueKind kind,
                                  const char *name, const char *value)
{
    bool *ok = cls;

    (void)kind;
    *ok = text_is_utf8(name, strlen(name)) &&
          (value == NULL || text_is_utf8(value, strlen(value)));
    return *ok ? MHD_YES : MHD_NO;
}

static bool is_text(struct MHD_Connection *connection, const char *path)
{
    bool ok = text_is_utf8(path, strlen(path));

    if (ok)
        (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND,
                                        check_text, &ok);
    return ok;
}

static enum MHD_Result check_head(struct MHD_Connection *connection,
                                  struct incoming *incoming)
{
    struct err err = ERR_CLEAR;
    unsigned status =
        refusal_of_head(connection, incoming->server->options.max_body, &err);

    if (status == 0)
        return MHD_YES;
    incoming->early = true;
    return send_error(connection, status, &err);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_len, void **context)
{
    struct http_server *server = user;
    struct incoming *incoming = *context;
    struct err err = ERR_CLEAR;

    (void)version;
    if (incoming == NULL) {
        *context = begin_visit(server, connection, url, method);
        return *context == NULL ? MHD_NO : check_head(connection, *context);
    }
    if (*upload_len > 0) {
        buf_append(&incoming->body, upload, *upload_len);
        *upload_len = 0;
        return MHD_YES;
    }
    if (incoming->body.failed) {
        explain_long(server->options.max_body, &err);
        return send_error(connection, TOO_LARGE, &err);
    }
    if (!is_text(connection, incoming->path)) {
        err_set(&err, ERR_INPUT, "the address is not UTF-8, or has a NUL");
        return send_error(connection, MHD_HTTP_BAD_REQUEST, &err);
    }
    return answer(connection, incoming, method);
}

// Runs on the connection's thread, so nobody else waits for it.
static void linger(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (info != NULL)
        http_linger(info->connect_fd);
}

static void on_done(void *user, struct MHD_Connection *connection,
                    void **context, enum MHD_RequestTerminationCode code)
{
    struct http_server *server = user;
    struct incoming *incoming = *context;

    if (incoming == NULL)
        return;
    crowd_enter(server->crowd, incoming->line, PHASE_REQUEST);
    if (incoming->early && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        linger(connection);
    buf_release(&incoming->body);
    free(incoming->path);
    free(incoming);
    *context = NULL;
}

// --- starting and stopping ---

static bool start_daemon(struct http_server *server, struct err *err)
{
    int fd = http_listen(&server->options.address, err);

    if (fd < 0)
        return false;
    http_address_print(&server->options.address, server->place);
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
            MHD_USE_POLL,
        0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT,
        CROWD_MOST * (unsigned)server->options.max_connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADER_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_done, server,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
    if (server->daemon == NULL) {
        if (errno == EAGAIN)
            thread_refused("the HTTP server", errno, err);
        else
            err_set(err, ERR_IO, "cannot start the HTTP server: %s",
                    strerror(errno));
        close(fd);
    }
    return server->daemon != NULL;
}

struct http_server *http_start(const struct http_options *options,
                               struct err *err)
{
    struct http_server *server = calloc(1, sizeof *server);

    if (server == NULL) {
        err_nomem(err, "the HTTP server");
        return NULL;
    }
    server->options = *options;
    server->crowd =
        crowd_start(options->max_connections, options->max_streams, err);
    if (server->crowd != NULL && start_daemon(server, err))
        return server;
    http_stop(server);
    return NULL;
}

const char *http_place(const struct http_server *server)
{
    return server->place;
}

void http_stop(struct http_server *server)
{
    if (server == NULL)
        return;
    if (server->crowd != NULL)
        crowd_close(server->crowd);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    crowd_stop(server->crowd);
    free(server);
}
