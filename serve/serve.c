#include "serve/serve.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/error_document.h"
#include "common/json.h"
#include "common/log.h"
#include "http/server.h"
#include "http/token.h"
#include "predict/service.h"
#include "predict/student.h"
#include "serve/openapi.h"

enum {
    REPLY_BYTES = 256 << 20,
    CONNECTIONS = 256,
    WAITING = 4000, // inputs; four full requests of SERVE_MOST_INPUTS
    RETRY_AFTER_S = 2,
};

struct serve {
    struct serve_options options;
    struct student student;
    struct service *service;
    struct http_server *http;
    struct http_token *token; // NULL: no token is required
    struct buf openapi;       // the document, made once
    _Atomic int64_t requests; // to /predict
    _Atomic int64_t refused;  // of these: busy, draining, out of memory
};

// --- replies ---

static void reply_json(struct http_reply *reply, unsigned status,
                       json_t *document)
{
    reply->status = status;
    reply->type = "application/json";
    json_put(&reply->body, document);
    json_decref(document);
}

// Tells the operator about what the caller cannot mend. A model's reply is left
// out of the log, because it may repeat the inputs, and so are callers that
// have hung up.
static void log_failure(const struct serve *serve, unsigned status,
                        enum run_end end, const struct err *err)
{
    const bool server = end == RUN_END_SERVER;

    if (status >= 500 && err->code != ERR_STOPPED)
        log_warn("request-failed", "%u: %s%s%s%s", status,
                 end == RUN_END_MODEL ? "the model gave no readable answer"
                                      : err->text,
                 server ? " (" : "", server ? serve->options.model.url : "",
                 server ? ")" : "");
}

static void reply_error(struct http_reply *reply, unsigned status,
                        const struct err *err)
{
    if (status == 503) {
        char seconds[16];

        (void)snprintf(seconds, sizeof seconds, "%d", RETRY_AFTER_S);
        http_reply_header(reply, "Retry-After", seconds);
    }
    reply_json(reply, status, error_document_json(err));
}

// Returns a status that says whose fault it was: 4xx the caller's, 500 that of
// a program on this machine, 502 and 504 the model server's. If the model
// server cannot be reached or has no room, the caller should ask again later,
// just as when this server has no room.
static unsigned status_of(const struct run_result *result)
{
    static const unsigned STATUSES[RUN_END_COUNT] = {
        [RUN_END_OUTPUTS] = 200, [RUN_END_INPUT] = 422,  [RUN_END_MODEL] = 502,
        [RUN_END_PROGRAM] = 500, [RUN_END_SERVER] = 502,
    };

    if (result->end != RUN_END_SERVER)
        return STATUSES[result->end];
    if (result->fault == FAULT_TIMEOUT)
        return 504;
    if (result->fault == FAULT_NONE || call_fault_kind(result->fault)->busy)
        return 503;
    return STATUSES[RUN_END_SERVER];
}

// --- POST /predict ---

static json_t *result_json(const struct serve *serve,
                           const struct run_result *result)
{
    json_t *document = result->outputs == NULL
                           ? error_document_json(&result->err)
                           : json_pack("{s:O}", "outputs", result->outputs);

    if (document != NULL && serve->student.simulated)
        (void)json_object_set_new(document, "simulated", json_true());
    return document;
}

static void reply_one(const struct serve *serve, struct run_result *result,
                      struct http_reply *reply)
{
    if (result->end == RUN_END_OUTPUTS)
        reply_json(reply, 200, result_json(serve, result));
    else
        reply_error(reply, status_of(result), &result->err);
}

static void reply_list(const struct serve *serve, struct run_result *results,
                       size_t n, struct http_reply *reply)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, result_json(serve, &results[i]));
    reply_json(reply, 200, list);
}

// Returns the n inputs of a body. Returns NULL with err if it is neither an
// object nor a list.
static json_t **read_inputs(const json_t *body, size_t *n, struct err *err)
{
    json_t **inputs;

    *n = json_is_array(body) ? json_array_size(body) : 1;
    if (!json_is_object(body) && !json_is_array(body)) {
        err_set(err, ERR_INPUT,
                "the body is neither a JSON object of inputs nor a list of "
                "such objects");
        return NULL;
    }
    if (*n > SERVE_MOST_INPUTS) {
        err_set(err, ERR_INPUT,
                "%zu inputs in one request are too many, send at most %d at a "
                "time",
                *n, SERVE_MOST_INPUTS);
        return NULL;
    }
    inputs = calloc(*n + 1, sizeof *inputs);
    if (inputs == NULL)
        err_nomem(err, "the inputs");
    for (size_t i = 0; inputs != NULL && i < *n; i++)
        inputs[i] =
            json_is_array(body) ? json_array_get(body, i) : (json_t *)body;
    return inputs;
}

static bool is_gone(void *user)
{
    return http_is_gone(user);
}

static void run_inputs(struct serve *serve, const struct http_request *request,
                       const json_t *body, json_t *const *inputs, size_t n,
                       struct http_reply *reply)
{
    struct service_caller caller = {.gone = is_gone, .user = (void *)request};
    struct err err = ERR_CLEAR;
    struct run_result *results = calloc(n + 1, sizeof *results);

    if (results == NULL)
        err_nomem(&err, "the results");
    if (results == NULL ||
        !service_run(serve->service, &caller, inputs, n, results, &err)) {
        serve->refused++;
        log_failure(serve, 503, RUN_END_PROGRAM, &err);
        reply_error(reply, 503, &err);
    } else {
        for (size_t i = 0; i < n; i++)
            log_failure(serve, status_of(&results[i]), results[i].end,
                        &results[i].err);
        if (json_is_array(body))
            reply_list(serve, results, n, reply);
        else
            reply_one(serve, &results[0], reply);
    }
    for (size_t i = 0; results != NULL && i < n; i++)
        json_decref(results[i].outputs);
    free(results);
}

static void predict(struct serve *serve, const struct http_request *request,
                    struct http_reply *reply)
{
    struct err err = ERR_CLEAR;
    json_t *body =
        json_parse(request->body, request->body_len, SERVE_BODY_BYTES, &err);
    size_t n = 0;
    json_t **inputs = body == NULL ? NULL : read_inputs(body, &n, &err);

    serve->requests++;
    if (inputs == NULL)
        reply_error(reply, 400, &err);
    else
        run_inputs(serve, request, body, inputs, n, reply);
    free(inputs);
    json_decref(body);
}

// --- the other paths ---

static void describe(struct serve *serve, const struct http_request *request,
                     struct http_reply *reply)
{
    (void)request;
    reply->type = "application/json";
    reply->fixed = serve->openapi.data;
    reply->fixed_len = serve->openapi.len;
}

static void healthz(struct serve *serve, const struct http_request *request,
                    struct http_reply *reply)
{
    (void)serve;
    (void)request;
    buf_puts(&reply->body, "ok\n");
}

// Uses its own client, because the service's client belongs to the service's
// thread.
static void readyz(struct serve *serve, const struct http_request *request,
                   struct http_reply *reply)
{
    struct service_status status;
    struct student student = {0};
    struct err err = ERR_CLEAR;

    (void)request;
    service_status(serve->service, &status);
    if (status.draining)
        err_set(&err, ERR_STOPPED, "the server is stopping");
    else if (student_open(serve->options.compiled, &serve->options.model,
                          &student, &err))
        student_close(&student);
    if (err.code == ERR_NONE) {
        buf_puts(&reply->body, "ok\n");
        return;
    }
    reply->status = 503;
    buf_printf(&reply->body, "%s\n", err.text);
}

static void put_metric(struct buf *out, const char *name, const char *kind,
                       const char *help)
{
    buf_printf(out,
               "# HELP promptcc_serve_%s %s\n# TYPE promptcc_serve_%s %s\n",
               name, help, name, kind);
}

static void put_runs(struct buf *out, const struct service_status *status)
{
    static const char *const ENDS[] = {[RUN_END_OUTPUTS] = "outputs",
                                       [RUN_END_INPUT] = "input",
                                       [RUN_END_MODEL] = "model",
                                       [RUN_END_PROGRAM] = "program",
                                       [RUN_END_SERVER] = "server"};
    int64_t all = 0;

    put_metric(out, "runs_total", "counter",
               "Inputs, by how their run ended: with outputs, or without, for "
               "lack of valid inputs, a readable answer, a program's answer, "
               "or a model server.");
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        all += status->ended[i];
        buf_printf(out, "promptcc_serve_runs_total{end=\"%s\"} %" PRId64 "\n",
                   ENDS[i], status->ended[i]);
    }
    put_metric(out, "run_seconds", "summary",
               "From a request's arrival to the end of a run.");
    buf_printf(out,
               "promptcc_serve_run_seconds_sum %.6f\n"
               "promptcc_serve_run_seconds_count %" PRId64 "\n",
               (double)status->run_us / 1e6, all);
}

static void metrics(struct serve *serve, const struct http_request *request,
                    struct http_reply *reply)
{
    struct buf *out = &reply->body;
    struct service_status status;

    (void)request;
    service_status(serve->service, &status);
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    put_metric(out, "requests_total", "counter", "Requests to /predict.");
    buf_printf(out, "promptcc_serve_requests_total %" PRId64 "\n",
               (int64_t)serve->requests);
    put_metric(out, "refused_total", "counter",
               "Requests that were refused for now.");
    buf_printf(out, "promptcc_serve_refused_total %" PRId64 "\n",
               (int64_t)serve->refused);
    put_runs(out, &status);
    put_metric(out, "repairs_total", "counter",
               "Replies that could not be read and were asked for again.");
    buf_printf(out, "promptcc_serve_repairs_total %" PRId64 "\n",
               status.repairs);
    put_metric(out, "withdrawn_total", "counter",
               "Inputs that were not run because the client was gone.");
    buf_printf(out, "promptcc_serve_withdrawn_total %" PRId64 "\n",
               status.withdrawn);
    put_metric(out, "waiting", "gauge", "Inputs that have not begun.");
    buf_printf(out, "promptcc_serve_waiting %zu\n", status.waiting);
    put_metric(out, "running", "gauge", "Inputs on their way.");
    buf_printf(out, "promptcc_serve_running %zu\n", status.running);
}

// --- requests ---

struct route {
    const char *method, *path;
    bool open; // to everybody, even if a token is required
    void (*answer)(struct serve *serve, const struct http_request *request,
                   struct http_reply *reply);
};

static const struct route routes[] = {
    {"POST", "/predict", false, predict},
    {"GET", "/openapi.json", false, describe},
    {"GET", "/metrics", false, metrics},
    {"GET", "/healthz", true, healthz},
    {"GET", "/readyz", true, readyz},
};

static const struct route *find_route(const struct http_request *request,
                                      struct http_reply *reply)
{
    struct err err = ERR_CLEAR;

    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (strcmp(routes[i].path, request->path) != 0)
            continue;
        if (strcmp(routes[i].method, request->method) == 0)
            return &routes[i];
        err_set(&err, ERR_INPUT, "%s takes %s", routes[i].path,
                routes[i].method);
        http_reply_header(reply, "Allow",
                          strcmp(routes[i].method, "GET") == 0
                              ? "GET, HEAD"
                              : routes[i].method);
        reply_error(reply, 405, &err);
        return NULL;
    }
    err_set(&err, ERR_INPUT,
            "there is nothing at this path: POST /predict runs the program, "
            "GET /openapi.json says how");
    reply_error(reply, 404, &err);
    return NULL;
}

// Without a token, only names of this machine are accepted as Host, so that a
// page of the network whose name is made to point here gets nothing.
static bool is_admitted(const struct serve *serve,
                        const struct http_request *request, bool open,
                        struct http_reply *reply)
{
    struct err err = ERR_CLEAR;

    if (serve->token == NULL && !http_host_is_loopback(request)) {
        err_set(&err, ERR_INPUT,
                "this address only answers as localhost or 127.0.0.1");
        reply_error(reply, 421, &err);
    } else if (!open && serve->token != NULL &&
               !http_token_comes_with(serve->token, request)) {
        err_set(&err, ERR_INPUT,
                "send the token: `Authorization: Bearer TOKEN`");
        http_reply_header(reply, "WWW-Authenticate", "Bearer");
        reply_error(reply, 401, &err);
    }
    return err.code == ERR_NONE;
}

static bool accepts_body(const struct http_request *request,
                         struct http_reply *reply)
{
    struct err err = ERR_CLEAR;

    if (strcmp(request->method, "POST") != 0)
        return true;
    if (!http_is_json(request))
        err_set(&err, ERR_INPUT, "send `Content-Type: application/json`");
    else if (http_header(request, "Content-Encoding") != NULL)
        err_set(&err, ERR_INPUT,
                "send the body as it is, without Content-Encoding");
    if (err.code != ERR_NONE)
        reply_error(reply, 415, &err);
    return err.code == ERR_NONE;
}

static void handle(void *user, const struct http_request *request,
                   struct http_reply *reply)
{
    struct serve *serve = user;
    const struct route *route = find_route(request, reply);

    reply->type = reply->type == NULL ? "text/plain" : reply->type;
    if (route != NULL && is_admitted(serve, request, route->open, reply) &&
        accepts_body(request, reply))
        route->answer(serve, request, reply);
    http_reply_header(reply, "X-Content-Type-Options", "nosniff");
    http_reply_header(reply, "Cache-Control", "no-store");
}

// --- starting and stopping ---

static bool start_service(struct serve *serve, struct err *err)
{
    const struct serve_options *options = &serve->options;
    struct service_options with = {.compiled = options->compiled,
                                   .client = serve->student.client,
                                   .slots = options->slots,
                                   .max_waiting = WAITING,
                                   .timeout_ms = options->timeout_ms,
                                   .allow_exec = options->allow_exec};

    serve->service = service_start(&with, err);
    return serve->service != NULL;
}

static bool start_http(struct serve *serve, struct err *err)
{
    struct http_options with = {.address = serve->options.address,
                                .max_connections = CONNECTIONS,
                                .max_body = SERVE_BODY_BYTES,
                                .max_reply = REPLY_BYTES,
                                .handler = handle,
                                .user = serve};

    serve->http = http_start(&with, err);
    return serve->http != NULL;
}

static bool make_openapi(struct serve *serve, struct err *err)
{
    json_t *document =
        openapi_of(serve->options.compiled, SERVE_MOST_INPUTS, err);

    if (document == NULL)
        return false;
    json_put(&serve->openapi, document);
    json_decref(document);
    return buf_ok(&serve->openapi, "the description of the server", err);
}

struct serve *serve_start(const struct serve_options *options, struct err *err)
{
    struct serve *serve = calloc(1, sizeof *serve);

    if (serve == NULL) {
        err_nomem(err, "the server");
        return NULL;
    }
    serve->options = *options;
    serve->openapi = BUF_INIT(REPLY_BYTES);
    if (options->token_file != NULL)
        serve->token = http_token_new(options->token_file, err);
    if ((options->token_file == NULL || serve->token != NULL) &&
        make_openapi(serve, err) &&
        student_open(options->compiled, &options->model, &serve->student,
                     err) &&
        start_service(serve, err) && start_http(serve, err))
        return serve;
    serve_stop(serve);
    return NULL;
}

const char *serve_place(const struct serve *serve)
{
    return http_place(serve->http);
}

const char *serve_warning(const struct serve *serve)
{
    return serve->student.warning;
}

bool serve_simulated(const struct serve *serve)
{
    return serve->student.simulated;
}

void serve_drain(struct serve *serve)
{
    service_drain(serve->service);
}

bool serve_is_idle(struct serve *serve)
{
    struct service_status status;

    service_status(serve->service, &status);
    return status.waiting == 0 && status.running == 0;
}

// Stop the service first: threads of the HTTP server sleep inside it.
void serve_stop(struct serve *serve)
{
    if (serve == NULL)
        return;
    if (serve->service != NULL)
        service_stop(serve->service);
    http_stop(serve->http);
    service_free(serve->service);
    student_close(&serve->student);
    http_token_free(serve->token);
    buf_release(&serve->openapi);
    free(serve);
}
