#include "http/server.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "common/error_document.h"
#include "common/thread.h"
#include "http/check.h"
#include "http/crowd.h"
#include "http/linger.h"
#include "http/listen.h"
#include "http/response.h"

enum {
    CROWD_MOST = 2,        // times max_connections, until the crowd is thinned
    STACK_BYTES = 2 << 20, // for a connection's thread: SQLite, deep JSON
    SILENCE_S = 30,        // without a byte either way
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

// --- answering ---

static enum urgency urgency_of(const char *path)
{
    if (strcmp(path, "/healthz") == 0)
        return URGENCY_ALIVE;
    if (strcmp(path, "/readyz") == 0 || strcmp(path, "/metrics") == 0)
        return URGENCY_STATE;
    return URGENCY_NONE;
}

// Fills in the reply to a request that found no room.
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
    enum MHD_Result result = response_send(connection, server->crowd, &reply);
    buf_release(&reply.body);
    return result;
}

// --- requests ---

static void free_incoming(struct incoming *incoming)
{
    buf_release(&incoming->body);
    free(incoming->path);
    free(incoming);
}

static struct incoming *new_incoming(struct http_server *server,
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
    if (incoming->path != NULL)
        return incoming;
    free_incoming(incoming);
    return NULL;
}

// Called when the headers have arrived, then for each piece of the body, and
// at the end without one.
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_len, void **context)
{
    struct http_server *server = user;
    struct incoming *incoming = *context;
    struct err err = ERR_CLEAR;
    unsigned status;

    (void)version;
    if (incoming == NULL) {
        incoming = new_incoming(server, connection, url, method);
        *context = incoming;
        if (incoming == NULL)
            return MHD_NO;
        status = check_head(connection, server->options.max_body, &err);
        incoming->early = status != 0;
        return status == 0 ? MHD_YES
                           : response_send_error(connection, status, &err);
    }
    if (*upload_len > 0) {
        buf_append(&incoming->body, upload, *upload_len);
        *upload_len = 0;
        return MHD_YES;
    }
    status = check_whole(connection, incoming->path, &incoming->body, &err);
    return status == 0 ? answer(connection, incoming, method)
                       : response_send_error(connection, status, &err);
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
    free_incoming(incoming);
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
        MHD_OPTION_UNESCAPE_CALLBACK, check_unescape, NULL,
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
