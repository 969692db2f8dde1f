#include "simulated/sim_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>
#include <microhttpd.h>

#include "common/bell.h"
#include "common/clock.h"
#include "common/thread.h"

#include "simulated/sim_api.h"
#include "simulated/sim_request.h"

enum { CONNECTIONS_MAX = 1024, PATH_MAX_BYTES = 256, LOOK_MS = 50 };

// Names that /api/tags lists in addition to the given ones.
static const char *const USUAL_MODELS[] = {
    "llama3.2:latest", "llama3.2:3b",  "qwen2.5:14b",
    "qwen2.5:32b",     "qwen2.5:0.5b", "gemma3:270m",
    "smollm2:135m",    "qwen3:8b",     "all-minilm:latest",
};

struct sim_server {
    struct sim_service service;
    struct MHD_Daemon *daemon;
    struct bell stop; // rings when the server stops, and is never reset
    uint16_t port;
};

// One request while it arrives and is answered.
struct incoming {
    struct sim_server *server;
    struct buf body;
    int socket;
    char path[PATH_MAX_BYTES];
    struct sim_exchange exchange;
};

// ---- waiting

static bool has_left(int socket)
{
    char byte;
    ssize_t n = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 ||
           (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static bool is_stopping(const struct sim_server *server)
{
    struct pollfd stop = {.fd = bell_fd(&server->stop), .events = POLLIN};
    return poll(&stop, 1, 0) > 0;
}

static bool visit_gone(void *data)
{
    struct incoming *incoming = data;
    return is_stopping(incoming->server) || has_left(incoming->socket);
}

static bool visit_pause(void *data, int64_t us)
{
    struct incoming *incoming = data;
    int64_t end = clock_monotonic_us() + us;
    for (int64_t rest = us; rest > 0; rest = end - clock_monotonic_us()) {
        int64_t ms = (rest + 999) / 1000;
        struct pollfd stop = {.fd = bell_fd(&incoming->server->stop),
                              .events = POLLIN};
        if (poll(&stop, 1, (int)(ms < LOOK_MS ? ms : LOOK_MS)) > 0 ||
            has_left(incoming->socket))
            return false;
    }
    return true;
}

// ---- HTTP

struct half {
    char *body; // owned
    size_t len;
};

static ssize_t read_half(void *data, uint64_t at, char *out, size_t max)
{
    const struct half *half = data;
    if (at >= half->len / 2)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t n = half->len / 2 - (size_t)at;
    n = n < max ? n : max;
    memcpy(out, half->body + at, n);
    return (ssize_t)n;
}

static void free_half(void *data)
{
    struct half *half = data;
    free(half->body);
    free(half);
}

// Announces the whole length, sends half of it and cuts the connection.
static struct MHD_Response *half_response(struct buf *body)
{
    struct half *half = calloc(1, sizeof *half);
    if (half == NULL)
        return NULL;
    half->len = body->len;
    half->body = buf_take(body);
    struct MHD_Response *response = MHD_create_response_from_callback(
        half->len, 1024, read_half, half, free_half);
    if (response == NULL)
        free_half(half);
    return response;
}

static struct MHD_Response *whole_response(struct buf *body)
{
    size_t len = body->len;
    char *data = buf_take(body);
    if (data == NULL)
        return NULL;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(data);
    return response;
}

static enum MHD_Result send_reply(struct MHD_Connection *connection,
                                  struct sim_exchange *exchange)
{
    if (exchange->ending == SIM_DROP)
        return MHD_NO; // closes the connection
    struct MHD_Response *response = exchange->ending == SIM_HALF
                                        ? half_response(&exchange->reply)
                                        : whole_response(&exchange->reply);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            exchange->type);
    enum MHD_Result result =
        MHD_queue_response(connection, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer(struct MHD_Connection *connection,
                              struct incoming *incoming, const char *method)
{
    struct sim_exchange *exchange = &incoming->exchange;
    exchange->method = method;
    exchange->path = incoming->path;
    exchange->body = incoming->body.data == NULL ? "" : incoming->body.data;
    exchange->body_len = incoming->body.len;
    exchange->pause = visit_pause;
    exchange->gone = visit_gone;
    exchange->data = incoming;
    sim_api_answer(&incoming->server->service, exchange);
    // Before the reply is sent, so that a client that has its answer and then
    // asks for the counts finds it counted.
    sim_tally_add(incoming->server->service.tally, &exchange->record);
    return send_reply(connection, exchange);
}

static struct incoming *begin_visit(struct sim_server *server,
                                    struct MHD_Connection *connection,
                                    const char *url)
{
    struct incoming *incoming = calloc(1, sizeof *incoming);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (incoming == NULL || info == NULL) {
        free(incoming);
        return NULL;
    }
    incoming->server = server;
    incoming->socket = info->connect_fd;
    incoming->body = BUF_INIT(SIM_BODY_MAX_BYTES);
    strncpy(incoming->path, url, PATH_MAX_BYTES - 1);
    return incoming;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_len, void **state)
{
    (void)version;
    struct incoming *incoming = *state;
    if (incoming == NULL) {
        *state = begin_visit(data, connection, url);
        return *state == NULL ? MHD_NO : MHD_YES;
    }
    if (*upload_len > 0) {
        buf_append(&incoming->body, upload, *upload_len);
        *upload_len = 0;
        return incoming->body.failed ? MHD_NO : MHD_YES;
    }
    return answer(connection, incoming, method);
}

static void on_done(void *data, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode code)
{
    (void)data;
    (void)connection;
    (void)code;
    struct incoming *incoming = *state;
    if (incoming == NULL)
        return;
    buf_release(&incoming->body);
    buf_release(&incoming->exchange.reply);
    free(incoming);
    *state = NULL;
}

// ---- starting and stopping

static void set_defaults(struct sim_options *options)
{
    if (options->slots == 0)
        options->slots = 1;
    if (options->num_ctx_max <= 0)
        options->num_ctx_max = 32768;
    if (options->num_ctx <= 0)
        options->num_ctx = 4096;
    if (options->models_loaded == 0)
        options->models_loaded = 1;
    if (options->queue == 0)
        options->queue = 512;
    if (options->latency_ms < 0)
        options->latency_ms = 0;
}

static bool add_model(struct sim_service *service, const char *name,
                      struct err *err)
{
    for (size_t i = 0; i < service->n_models; i++)
        if (strcmp(service->models[i], name) == 0)
            return true;
    char *copy = strdup(name);
    if (copy == NULL) {
        err_nomem(err, "a model's name");
        return false;
    }
    service->models[service->n_models++] = copy;
    return true;
}

static bool list_models(struct sim_service *service, struct err *err)
{
    const struct sim_options *options = &service->options;
    size_t usual = sizeof USUAL_MODELS / sizeof *USUAL_MODELS;
    service->models =
        calloc(options->n_models + usual, sizeof *service->models);
    if (service->models == NULL) {
        err_nomem(err, "the models' names");
        return false;
    }
    for (size_t i = 0; i < options->n_models; i++)
        if (!add_model(service, options->models[i], err))
            return false;
    for (size_t i = 0; i < usual && !options->only_models; i++)
        if (!add_model(service, USUAL_MODELS[i], err))
            return false;
    return true;
}

static bool set_up_service(struct sim_service *service,
                           const struct sim_options *options, struct err *err)
{
    service->options = *options;
    set_defaults(&service->options);
    if (!list_models(service, err) ||
        !sim_faults_read(&service->faults, options->fault_rate,
                         options->fault_kinds, options->seed, err))
        return false;
    service->tally = sim_tally_open(options->log_path, err);
    if (service->tally == NULL)
        return false;
    struct sim_slots_options slots = {
        .slots = service->options.slots,
        .models_loaded = service->options.models_loaded,
        .queue = service->options.queue,
        .swap_ms = options->swap_ms,
    };
    service->slots = sim_slots_new(&slots);
    service->model = sim_model_new();
    if (service->slots == NULL || service->model == NULL) {
        err_nomem(err, "the stand-in server");
        return false;
    }
    service->options.models = NULL;
    service->options.fault_kinds = NULL;
    service->options.log_path = NULL;
    return true;
}

static void release_service(struct sim_service *service)
{
    sim_model_free(service->model);
    sim_slots_free(service->slots);
    sim_tally_close(service->tally);
    for (size_t i = 0; i < service->n_models; i++)
        free(service->models[i]);
    free(service->models);
}

static bool listen_on(struct sim_server *server, uint16_t port, struct err *err)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    errno = 0;
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
            MHD_USE_POLL,
        port, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL, MHD_OPTION_END);
    if (server->daemon == NULL && errno == EAGAIN) {
        thread_refused("the stand-in server", errno, err);
        return false;
    }
    if (server->daemon == NULL) {
        err_set(err, ERR_INPUT,
                "the stand-in server cannot listen on 127.0.0.1:%u (%s): "
                "choose another port, or 0 for any",
                port, errno == 0 ? "no reason given" : strerror(errno));
        return false;
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    server->port = info == NULL ? port : info->port;
    return true;
}

struct sim_server *sim_server_start(const struct sim_options *options,
                                    struct err *err)
{
    struct sim_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        err_nomem(err, "the stand-in server");
        return NULL;
    }
    json_object_seed(0); // once, before any thread starts
    if (bell_open(&server->stop, "the stand-in server", err) &&
        set_up_service(&server->service, options, err) &&
        listen_on(server, options->port, err))
        return server;
    sim_server_stop(server);
    return NULL;
}

void sim_server_stop(struct sim_server *server)
{
    if (server == NULL)
        return;
    bell_ring(&server->stop);
    if (server->service.slots != NULL)
        sim_slots_stop(server->service.slots);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    release_service(&server->service);
    bell_close(&server->stop);
    free(server);
}

uint16_t sim_server_port(const struct sim_server *server)
{
    return server->port;
}

void sim_server_stats(struct sim_server *server, struct sim_stats *stats)
{
    sim_tally_read(server->service.tally, stats);
}
