#include "http/server.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <microhttpd.h>

#include "common/clock.h"
#include "common/cond.h"
#include "common/error_document.h"
#include "common/text.h"

enum {
    BACKLOG = 64,
    BIND_MS = 1000,         // that a port in use is asked for
    LOOK_MS = 250,          // between two looks at who takes too long
    STOP_MS = 2000,         // for what is at work when the server stops
    CROWD_SHARE = 8,        // one of so many connections is kept free
    CROWD_MOST = 2,         // times max_connections, until it is thinned
    CROWD_REQUEST_MS = 200, // in a crowd, for a request to arrive
    CROWD_REPLY_MS = 2000,  // and for a reply to leave
    STACK_BYTES = 2 << 20,  // of a connection's thread: SQLite, deep JSON
    SILENCE_S = 30,         // without a byte either way
    STREAM_BYTES = 1 << 20, // that wait to be sent of a stream
    STREAM_BLOCK = 16 << 10,
    TOO_LARGE = 413, // the library has had several names for it
};

enum phase { PHASE_REQUEST, PHASE_HANDLER, PHASE_REPLY, PHASE_STREAM };

// A connection, from its first byte to its last.
struct line {
    int fd;
    enum phase phase;
    int64_t since_ms;
    bool cut; // shut down, and about to end
    struct line *next, *before;
};

struct http_server {
    struct http_options options;
    struct MHD_Daemon *daemon;
    char place[HTTP_ADDRESS_TEXT];
    pthread_t watcher;
    bool watching;
    pthread_mutex_t lock; // of all below
    pthread_cond_t ended;
    bool stopping;
    struct line *lines;
    size_t n_lines;
    size_t n_streams;
};

// One request while it arrives and is answered.
struct incoming {
    struct http_server *server;
    struct line *line; // borrowed
    struct buf body;
    char *path;
    bool head;
};

// --- connections, and who takes too long ---

static void add_line(struct http_server *server, struct line *line)
{
    pthread_mutex_lock(&server->lock);
    line->next = server->lines;
    if (line->next != NULL)
        line->next->before = line;
    server->lines = line;
    server->n_lines++;
    pthread_mutex_unlock(&server->lock);
}

static void remove_line(struct http_server *server, struct line *line)
{
    pthread_mutex_lock(&server->lock);
    if (line->next != NULL)
        line->next->before = line->before;
    if (line->before != NULL)
        line->before->next = line->next;
    else
        server->lines = line->next;
    server->n_lines--;
    pthread_mutex_unlock(&server->lock);
    free(line);
}

static void enter(struct http_server *server, struct line *line,
                  enum phase phase)
{
    if (line == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    line->phase = phase;
    line->since_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&server->lock);
}

// The notice that a connection is closed comes before its descriptor is, and
// takes the lock: a descriptor in the list is still that connection's.
static void on_connection(void *user, struct MHD_Connection *connection,
                          void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = user;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context != NULL)
            remove_line(server, *context);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct line *line = info == NULL ? NULL : calloc(1, sizeof *line);
    if (line == NULL)
        return;
    line->fd = info->connect_fd;
    line->since_ms = clock_monotonic_ms();
    *context = line;
    add_line(server, line);
}

// How many connections may be taken before there is a crowd.
static size_t room(const struct http_server *server)
{
    size_t most = server->options.max_connections;

    return most - (most + CROWD_SHARE - 1) / CROWD_SHARE;
}

static void cut_off(struct line *line)
{
    (void)shutdown(line->fd, SHUT_RDWR);
    line->cut = true;
}

static void cut_off_slow(struct http_server *server, int64_t now)
{
    static const int64_t most[] = {[PHASE_REQUEST] = HTTP_REQUEST_MS,
                                   [PHASE_HANDLER] = INT64_MAX,
                                   [PHASE_REPLY] = HTTP_REPLY_MS,
                                   [PHASE_STREAM] = INT64_MAX};

    for (struct line *line = server->lines; line != NULL; line = line->next)
        if (now - line->since_ms > most[line->phase])
            cut_off(line);
}

// What came may be a whole request, for which its thread had no time yet.
static bool has_sent(const struct line *line)
{
    char byte;

    return recv(line->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

// Who has waited longest of those that a crowd does without. NULL: nobody.
static struct line *find_idlest(struct http_server *server, int64_t now)
{
    static const int64_t most[] = {[PHASE_REQUEST] = CROWD_REQUEST_MS,
                                   [PHASE_HANDLER] = INT64_MAX,
                                   [PHASE_REPLY] = CROWD_REPLY_MS,
                                   [PHASE_STREAM] = INT64_MAX};
    struct line *idlest = NULL;

    for (struct line *line = server->lines; line != NULL; line = line->next)
        if (!line->cut && now - line->since_ms > most[line->phase] &&
            (idlest == NULL || line->since_ms < idlest->since_ms) &&
            (line->phase != PHASE_REQUEST || !has_sent(line)))
            idlest = line;
    return idlest;
}

static void thin_crowd(struct http_server *server, int64_t now)
{
    size_t left = server->n_lines;
    struct line *idlest;

    for (struct line *line = server->lines; line != NULL; line = line->next)
        left -= line->cut;
    while (left > room(server) && (idlest = find_idlest(server, now)) != NULL) {
        cut_off(idlest);
        left--;
    }
}

static void *watch(void *user)
{
    struct http_server *server = user;

    pthread_mutex_lock(&server->lock);
    while (!server->stopping) {
        const struct timespec until = cond_deadline(LOOK_MS);

        (void)pthread_cond_timedwait(&server->ended, &server->lock, &until);
        cut_off_slow(server, clock_monotonic_ms());
        thin_crowd(server, clock_monotonic_ms());
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

// --- what a handler sees ---

const char *http_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                       name);
}

// "localhost:8070", "[::1]:8070", "127.0.0.1": a name of this machine alone.
static bool is_loopback_name(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t len = strlen(names[i]);

        if (strncasecmp(host, names[i], len) == 0 &&
            (host[len] == '\0' ||
             (host[len] == ':' &&
              host[len + 1 + strspn(host + len + 1, "0123456789")] == '\0')))
            return true;
    }
    return false;
}

bool http_host_is_loopback(const struct http_request *request)
{
    const char *host = http_header(request, "Host");

    return host != NULL && is_loopback_name(host);
}

bool http_is_json(const struct http_request *request)
{
    const char *type = http_header(request, "Content-Type");

    return type != NULL && strncasecmp(type, "application/json", 16) == 0 &&
           strchr("; ", type[16]) != NULL;
}

bool http_is_gone(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char byte;

    if (info == NULL)
        return false;
    ssize_t got = recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK &&
                        errno != EINTR);
}

const char *http_query(const struct http_request *request, const char *name)
{
    const char *value = MHD_lookup_connection_value(
        request->connection, MHD_GET_ARGUMENT_KIND, name);

    return value != NULL && text_is_utf8(value, strlen(value)) ? value : NULL;
}

struct names {
    bool (*each)(void *user, const char *name);
    void *user;
};

static enum MHD_Result take_name(void *cls, enum MHD_ValueKind kind,
                                 const char *name, const char *value)
{
    struct names *names = cls;

    (void)kind;
    (void)value;
    return names->each(names->user, name) ? MHD_YES : MHD_NO;
}

void http_query_names(const struct http_request *request,
                      bool (*each)(void *user, const char *name), void *user)
{
    struct names names = {.each = each, .user = user};

    (void)MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND,
                                    take_name, &names);
}

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

// --- streams ---

struct flow {
    struct http_server *server;
    struct http_stream stream;
    struct buf waiting; // to be sent
    size_t at;
};

static bool is_stopping(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    bool stopping = server->stopping;
    pthread_mutex_unlock(&server->lock);
    return stopping;
}

static ssize_t read_flow(void *user, uint64_t position, char *out, size_t max)
{
    struct flow *flow = user;

    (void)position;
    while (flow->at == flow->waiting.len) {
        buf_clear(&flow->waiting);
        flow->at = 0;
        if (is_stopping(flow->server) ||
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

    pthread_mutex_lock(&flow->server->lock);
    flow->server->n_streams--;
    pthread_mutex_unlock(&flow->server->lock);
    flow->stream.close(flow->stream.user);
    buf_release(&flow->waiting);
    free(flow);
}

static bool take_place(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    bool room = server->n_streams < server->options.max_streams;
    server->n_streams += room;
    pthread_mutex_unlock(&server->lock);
    return room;
}

// NULL: there are too many. The stream is closed in any case.
static struct MHD_Response *stream_response(struct http_server *server,
                                            const struct http_stream *stream)
{
    struct flow *flow = calloc(1, sizeof *flow);

    if (flow == NULL || !take_place(server)) {
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

static enum MHD_Result send_short(struct MHD_Connection *connection,
                                  unsigned status, const char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);

    if (response == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  "text/plain; charset=utf-8");
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

    if (reply->body.failed)
        return send_short(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
                          "the answer is too long; ask for less of it\n");
    struct MHD_Response *response = make_response(server, reply);
    if (response == NULL)
        return send_short(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                          streams ? "too many pages follow this already\n"
                                  : "no memory for the answer\n");
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

// At how many connections at work one more is let in. Who asks whether the
// process lives takes no answer for a reason to start it again, and who asks
// how it does wants to know it above all in a crowd.
static size_t most_at_work(const struct http_server *server, const char *path)
{
    size_t most = room(server);

    if (strcmp(path, "/healthz") == 0)
        return SIZE_MAX;
    if (strcmp(path, "/readyz") == 0 || strcmp(path, "/metrics") == 0)
        most += (server->options.max_connections - most) / 2;
    return most;
}

// Takes one of the connections that may be at work, for the handler or the
// stream that follows.
static bool begin_work(struct http_server *server,
                       const struct incoming *incoming)
{
    size_t working = 0;

    pthread_mutex_lock(&server->lock);
    for (const struct line *at = server->lines; at != NULL; at = at->next)
        working += at->phase == PHASE_HANDLER || at->phase == PHASE_STREAM;
    bool may =
        !server->stopping && working < most_at_work(server, incoming->path);
    if (may && incoming->line != NULL) {
        incoming->line->phase = PHASE_HANDLER;
        incoming->line->since_ms = clock_monotonic_ms();
    }
    pthread_mutex_unlock(&server->lock);
    return may;
}

static void refuse(struct http_server *server, struct http_reply *reply)
{
    struct err err = ERR_CLEAR;
    char *document;

    if (is_stopping(server))
        err_set(&err, ERR_STOPPED, "the server is stopping");
    else
        err_set(&err, ERR_BUSY,
                "too many requests are under way: ask again later");
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

    if (begin_work(server, incoming))
        server->options.handler(server->options.user, &request, &reply);
    else
        refuse(server, &reply);
    enter(server, incoming->line,
          reply.stream.next != NULL ? PHASE_STREAM : PHASE_REPLY);
    if (reply.stream.next == NULL)
        buf_puts(&reply.body, ""); // so that there are bytes to hand over
    enum MHD_Result result = send_reply(connection, server, &reply);
    buf_release(&reply.body);
    return result;
}

// --- requests ---

static bool says_too_much(struct MHD_Connection *connection, size_t max)
{
    const char *length = MHD_lookup_connection_value(
        connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return length != NULL && strtoull(length, NULL, 10) > max;
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

// A NUL would end the text for us and not for whoever sent it: it becomes a
// byte that no UTF-8 has.
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

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_len, void **context)
{
    struct http_server *server = user;
    struct incoming *incoming = *context;

    (void)version;
    if (incoming == NULL) {
        *context = begin_visit(server, connection, url, method);
        if (*context != NULL &&
            says_too_much(connection, server->options.max_body))
            return send_short(connection, TOO_LARGE,
                              "the request is too long\n");
        return *context == NULL ? MHD_NO : MHD_YES;
    }
    if (*upload_len > 0) {
        buf_append(&incoming->body, upload, *upload_len);
        *upload_len = 0;
        return MHD_YES;
    }
    if (incoming->body.failed)
        return send_short(connection, TOO_LARGE, "the request is too long\n");
    if (!is_text(connection, incoming->path))
        return send_short(connection, MHD_HTTP_BAD_REQUEST,
                          "the address is no UTF-8, or has a NUL\n");
    return answer(connection, incoming, method);
}

static void on_done(void *user, struct MHD_Connection *connection,
                    void **context, enum MHD_RequestTerminationCode code)
{
    struct incoming *incoming = *context;

    (void)connection;
    (void)code;
    if (incoming == NULL)
        return;
    enter(user, incoming->line, PHASE_REQUEST);
    buf_release(&incoming->body);
    free(incoming->path);
    free(incoming);
    *context = NULL;
}

// --- starting and stopping ---

static void explain_listen(const struct http_address *address, int why,
                           struct err *err)
{
    char place[HTTP_ADDRESS_TEXT];

    http_address_print(address, place);
    if (why == EADDRINUSE)
        err_set(err, ERR_BUSY,
                "%s is in use: another program serves there; stop it or choose "
                "another port (0 picks a free one)",
                place);
    else
        err_set(err, ERR_INPUT,
                "cannot serve HTTP at %s (%s): use an address of this machine",
                place, strerror(why));
}

// A server that was killed has its port until its last thread is gone: who is
// started again at once need not be refused by it.
static bool bind_patiently(int fd, const struct http_address *address)
{
    const struct timespec pause = {.tv_nsec = 20L * 1000 * 1000};
    int64_t until_ms = clock_monotonic_ms() + BIND_MS;

    while (bind(fd, (const struct sockaddr *)&address->at, address->len) != 0) {
        if (errno != EADDRINUSE || clock_monotonic_ms() >= until_ms)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

// A socket that listens there; -1 on failure. address gets the port.
static int open_listener(struct http_address *address, struct err *err)
{
    struct sockaddr *at = (struct sockaddr *)&address->at;
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        !bind_patiently(fd, address) || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, at, &address->len) != 0) {
        explain_listen(address, errno, err);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static bool start_daemon(struct http_server *server, struct err *err)
{
    int fd = open_listener(&server->options.address, err);

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
        err_set(err, ERR_IO, "cannot start the HTTP server: %s",
                strerror(errno));
        close(fd);
    }
    return server->daemon != NULL;
}

static bool start_watcher(struct http_server *server, struct err *err)
{
    server->watching =
        pthread_create(&server->watcher, NULL, watch, server) == 0;
    if (!server->watching)
        err_set(err, ERR_IO, "cannot start a thread of the HTTP server");
    return server->watching;
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
    pthread_mutex_init(&server->lock, NULL);
    cond_init(&server->ended);
    if (start_watcher(server, err) && start_daemon(server, err))
        return server;
    http_stop(server);
    return NULL;
}

const char *http_place(const struct http_server *server)
{
    return server->place;
}

static bool is_at_work(struct http_server *server)
{
    bool some = false;

    pthread_mutex_lock(&server->lock);
    for (const struct line *at = server->lines; at != NULL; at = at->next)
        some = some || at->phase == PHASE_HANDLER || at->phase == PHASE_REPLY;
    pthread_mutex_unlock(&server->lock);
    return some;
}

// What was taken is answered, if that is soon.
static void finish_work(struct http_server *server)
{
    const struct timespec pause = {.tv_nsec = 10L * 1000 * 1000};
    int64_t until_ms = clock_monotonic_ms() + STOP_MS;

    while (is_at_work(server) && clock_monotonic_ms() < until_ms)
        (void)nanosleep(&pause, NULL);
}

void http_stop(struct http_server *server)
{
    if (server == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_signal(&server->ended);
    pthread_mutex_unlock(&server->lock);
    finish_work(server);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    if (server->watching)
        pthread_join(server->watcher, NULL);
    pthread_cond_destroy(&server->ended);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
