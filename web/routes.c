#include "web/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error_document.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/log.h"
#include "common/text.h"
#include "store/lookup.h"
#include "store/query.h"

enum { SEGMENT_BYTES = 256, ARGUMENT_BYTES = 1 << 20 };

// The parts of a path for {job} and {number}.
struct path {
    char job[SEGMENT_BYTES];
    char number[SEGMENT_BYTES];
};

struct exchange {
    struct web *web;
    const struct route *route;
    const struct http_request *request;
    struct path path;
    struct http_reply *reply;
};

enum access {
    ACCESS_OPEN,  // anyone who reaches the port
    ACCESS_READ,  // whoever is let in
    ACCESS_WRITE, // the same, but the request must be intended
};

struct route {
    const char *method;
    const char *pattern;
    enum access access;
    void (*serve)(struct exchange *exchange);
    const char *verb; // of a lookup or a command
    // The parameters of the query that the verb takes: names, followed by # for
    // an integer or % for any number.
    const char *takes;
    const char *number; // the name of {number} in the verb's argument
};

// --- replies ---

static void send_json(struct http_reply *reply, const json_t *value)
{
    reply->type = "application/json";
    http_reply_header(reply, "Cache-Control", "no-store");
    json_put(&reply->body, value);
}

static void send_error(struct http_reply *reply, unsigned status,
                       const struct err *err)
{
    char *document = error_document(err);

    if (status >= 500 && err->code != ERR_STOPPED)
        log_warn("request-failed", "%u: %s", status, err->text);
    reply->status = status;
    reply->type = "application/json";
    http_reply_header(reply, "Cache-Control", "no-store");
    buf_clear(&reply->body);
    buf_puts(&reply->body, document == NULL ? "{}" : document);
    free(document);
}

static void send_words(struct http_reply *reply, unsigned status,
                       const char *sentence)
{
    struct err err = ERR_CLEAR;

    err_set(&err, ERR_INPUT, "%s", sentence);
    send_error(reply, status, &err);
}

// input: the status for ERR_INPUT, which depends on the route.
static unsigned status_of(const struct err *err, unsigned input)
{
    switch (err->code) {
    case ERR_INPUT:
        return input;
    case ERR_BUSY:
    case ERR_LIMIT:
    case ERR_IO:
    case ERR_STOPPED:
        return 503;
    default:
        return 500;
    }
}

// --- reading the store ---

static bool put_parameter(const struct exchange *exchange, const char *name,
                          size_t len, json_t *argument, struct err *err)
{
    char key[32], *end = NULL;
    char kind = name[len - 1];
    const char *value;
    json_t *read = NULL;

    len -= kind == '#' || kind == '%';
    (void)snprintf(key, sizeof key, "%.*s", (int)len, name);
    value = http_query(exchange->request, key);
    if (value == NULL || value[0] == '\0')
        return true;
    if (kind == '#')
        read = json_integer(strtoll(value, &end, 10));
    else if (kind == '%')
        read = json_real(strtod(value, &end));
    else
        read = json_string(value);
    if (read != NULL && (end == NULL || *end == '\0'))
        return json_object_set_new(argument, key, read) == 0;
    json_decref(read);
    err_set(err, ERR_INPUT, "`%s` takes a number, not `%.60s`", key, value);
    return false;
}

// Checks that the route takes what the query says, and each name only once.
struct query_check {
    const char *takes;
    uint64_t seen; // a bit for each name in takes
    struct err *err;
};

static bool check_name(void *user, const char *name)
{
    struct query_check *check = user;
    const char *at = check->takes;
    size_t len = strlen(name);

    for (uint64_t bit = 1; *at != '\0'; bit <<= 1) {
        if (strncmp(at, name, len) == 0 && strchr("#% ", at[len]) != NULL) {
            if (check->seen & bit)
                err_set(check->err, ERR_INPUT, "`%.60s` is given twice", name);
            check->seen |= bit;
            return check->err->code == ERR_NONE;
        }
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    err_set(check->err, ERR_INPUT,
            "there is no parameter `%.60s` here: /api/v1/openapi.json lists "
            "those that there are",
            name);
    return false;
}

static bool check_query(const struct exchange *exchange, struct err *err)
{
    const char *takes = exchange->route->takes;
    struct query_check check = {.takes = takes == NULL ? "" : takes,
                                .err = err};

    http_query_names(exchange->request, check_name, &check);
    return err->code == ERR_NONE;
}

// Returns the argument of the verb, made from the path and the query. NULL on
// failure.
static json_t *read_argument(const struct exchange *exchange, struct err *err)
{
    const struct route *route = exchange->route;
    const char *at = route->takes == NULL ? "" : route->takes;
    const char *number = exchange->path.number;
    json_t *argument;

    if (!check_query(exchange, err))
        return NULL;
    argument = json_object();
    while (*at != '\0') {
        size_t len = strcspn(at, " ");

        if (!put_parameter(exchange, at, len, argument, err)) {
            json_decref(argument);
            return NULL;
        }
        at += len;
        at += strspn(at, " ");
    }
    // For "best" the verb chooses.
    if (route->number != NULL && strcmp(number, "best") != 0)
        (void)json_object_set_new(argument, route->number,
                                  json_integer(strtoll(number, NULL, 10)));
    return argument;
}

// Asks the store. Fills in the reply in any case.
static void answer_from(struct exchange *exchange, struct store *store,
                        const json_t *argument)
{
    struct err err = ERR_CLEAR;
    bool of_job = exchange->path.job[0] != '\0';
    char *id = of_job ? query_job(store, exchange->path.job, &err) : NULL;
    json_t *answer = NULL;

    if (of_job && id == NULL) {
        send_error(exchange->reply, status_of(&err, 404), &err);
        return;
    }
    answer = lookup_answer(store, exchange->route->verb, of_job ? id : "",
                           argument, &err);
    if (answer == NULL)
        send_error(exchange->reply,
                   status_of(&err, exchange->route->number != NULL ? 404 : 400),
                   &err);
    else
        send_json(exchange->reply, answer);
    json_decref(answer);
    free(id);
}

static void serve_lookup(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;
    json_t *argument = read_argument(exchange, &err);
    struct store *store =
        argument == NULL ? NULL : readers_take(exchange->web->readers, &err);

    if (argument == NULL) {
        send_error(exchange->reply, 400, &err);
        return;
    }
    if (store == NULL) {
        send_error(exchange->reply, 503, &err);
    } else {
        answer_from(exchange, store, argument);
        readers_give(exchange->web->readers, store);
    }
    json_decref(argument);
}

// Sends the compiled file as a download.
static void serve_compiled(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;
    char *text = web_compiled(exchange->web, exchange->path.job, &err);

    if (text == NULL) {
        send_error(exchange->reply, status_of(&err, 404), &err);
        return;
    }
    exchange->reply->type = "application/json";
    http_reply_header(exchange->reply, "Content-Disposition",
                      "attachment; filename=\"compiled.json\"");
    http_reply_header(exchange->reply, "Cache-Control", "no-store");
    buf_puts(&exchange->reply->body, text);
    free(text);
}

// --- commands ---

static void send_reply(struct exchange *exchange, json_t *answer,
                       const struct err *err)
{
    if (answer == NULL)
        send_error(exchange->reply, status_of(err, 409), err);
    else
        send_json(exchange->reply, answer);
    json_decref(answer);
}

// Returns the body as a JSON object; NULL if it is not one, and then the reply
// says so.
static json_t *read_body(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;
    json_t *body =
        json_parse(exchange->request->body, exchange->request->body_len,
                   ARGUMENT_BYTES, &err);

    if (json_is_object(body))
        return body;
    if (body != NULL)
        err_set(&err, ERR_INPUT, "the body must be a JSON object");
    send_error(exchange->reply, status_of(&err, 400), &err);
    json_decref(body);
    return NULL;
}

// Returns true if the store has the job that the path names. If not, the reply
// says so. We ask the store because a coordinator only says that a command
// failed.
static bool knows_job(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;
    struct store *store = readers_take(exchange->web->readers, &err);
    char *id = NULL;

    if (store == NULL) {
        send_error(exchange->reply, 503, &err);
        return false;
    }
    id = query_job(store, exchange->path.job, &err);
    readers_give(exchange->web->readers, store);
    if (id == NULL)
        send_error(exchange->reply, status_of(&err, 404), &err);
    bool known = id != NULL;
    free(id);
    return known;
}

static void serve_command(struct exchange *exchange)
{
    const struct http_request *request = exchange->request;
    struct err err = ERR_CLEAR;

    if (request->body_len > 0) {
        json_t *body = read_body(exchange);

        if (body == NULL)
            return;
        json_decref(body);
    }
    if (exchange->path.job[0] != '\0' && !knows_job(exchange))
        return;
    send_reply(exchange,
               web_ask(&exchange->web->commands, exchange->route->verb,
                       exchange->path.job, request->body, &err),
               &err);
}

// Runs the program on a message of the user: {"inputs": {...}}.
static void serve_try(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;
    json_t *body = read_body(exchange);
    const json_t *inputs = json_object_get(body, "inputs");

    if (body == NULL)
        return;
    if (!json_is_object(inputs))
        send_words(exchange->reply, 400,
                   "the body must be {\"inputs\": {...}}");
    else if (knows_job(exchange))
        send_reply(exchange,
                   web_try(exchange->web, exchange->path.job, inputs, &err),
                   &err);
    json_decref(body);
}

// --- the rest ---

static void serve_session(struct exchange *exchange)
{
    json_t *session = json_pack("{s:s, s:s, s:b}", "version", PROMPTCC_VERSION,
                                "csrf", guard_csrf(exchange->web->guard),
                                "token", guard_has_token(exchange->web->guard));

    send_json(exchange->reply, session);
    json_decref(session);
}

static void serve_login(struct exchange *exchange)
{
    json_t *body = read_body(exchange);

    if (body == NULL)
        return;
    if (guard_login(exchange->web->guard, exchange->request,
                    json_get_text(body, "token", ""), exchange->reply))
        serve_session(exchange);
    else
        send_words(exchange->reply, 401,
                   "this is not the token of this server, which is in the file "
                   "that --http-token names");
    json_decref(body);
}

static void serve_logout(struct exchange *exchange)
{
    json_t *empty = json_object();
    json_t *body =
        exchange->request->body_len == 0 ? NULL : read_body(exchange);

    if (exchange->request->body_len > 0 && body == NULL)
        goto out;
    guard_logout(exchange->web->guard, exchange->request, exchange->reply);
    send_json(exchange->reply, empty);

out:
    json_decref(body);
    json_decref(empty);
}

static void serve_stream(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;

    if (!live_follow(exchange->web->live, &exchange->reply->stream, &err)) {
        send_error(exchange->reply, 503, &err);
        return;
    }
    exchange->reply->type = "text/event-stream";
    http_reply_header(exchange->reply, "Cache-Control", "no-store");
    http_reply_header(exchange->reply, "X-Accel-Buffering", "no");
}

static void serve_metrics(struct exchange *exchange)
{
    exchange->reply->type = "text/plain; version=0.0.4; charset=utf-8";
    http_reply_header(exchange->reply, "Cache-Control", "no-store");
    metrics_write(exchange->web->metrics, &exchange->web->commands,
                  exchange->web->readers, &exchange->reply->body);
}

static void serve_health(struct exchange *exchange)
{
    buf_puts(&exchange->reply->body, "ok\n");
}

// Ready means that the loop answers and the store can be read.
static void serve_ready(struct exchange *exchange)
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
    send_words(exchange->reply, 404, "there is no such file here");
}

static void serve_page(struct exchange *exchange)
{
    send_asset(exchange, "index.html");
}

static void serve_asset(struct exchange *exchange)
{
    send_asset(exchange, exchange->path.number);
}

static void serve_openapi(struct exchange *exchange)
{
    send_asset(exchange, "openapi.json");
}

// --- the table ---

#define API "/api/v1"
#define JOB API "/jobs/{job}"

static const struct route routes[] = {
    {"GET", "/", ACCESS_OPEN, serve_page},
    {"GET", "/assets/{number}", ACCESS_OPEN, serve_asset},
    {"GET", "/healthz", ACCESS_OPEN, serve_health},
    {"GET", "/readyz", ACCESS_OPEN, serve_ready},
    {"GET", "/metrics", ACCESS_READ, serve_metrics},
    {"GET", API "/openapi.json", ACCESS_OPEN, serve_openapi},
    {"POST", API "/login", ACCESS_OPEN, serve_login},
    {"POST", API "/logout", ACCESS_WRITE, serve_logout},
    {"GET", API "/session", ACCESS_READ, serve_session},
    {"GET", API "/stream", ACCESS_READ, serve_stream},
    {"GET", API "/status", ACCESS_READ, serve_command, "status"},
    {"GET", API "/workers", ACCESS_READ, serve_command, "workers"},
    {"GET", API "/workers/history", ACCESS_READ, serve_lookup,
     "worker-history"},
    {"GET", API "/jobs", ACCESS_READ, serve_lookup, "jobs"},
    {"GET", JOB, ACCESS_READ, serve_lookup, "summary"},
    {"GET", JOB "/trials", ACCESS_READ, serve_lookup, "trial-page",
     "limit# offset# sort order kind state candidate# above%"},
    {"GET", JOB "/curve", ACCESS_READ, serve_lookup, "curve"},
    {"GET", JOB "/importance", ACCESS_READ, serve_lookup, "importance"},
    {"GET", JOB "/tokens", ACCESS_READ, serve_lookup, "tokens"},
    {"GET", JOB "/cost", ACCESS_READ, serve_lookup, "cost"},
    {"GET", JOB "/events", ACCESS_READ, serve_lookup, "events", "limit#"},
    {"GET", JOB "/compare", ACCESS_READ, serve_lookup, "compare",
     "a# b# share show limit# offset#"},
    {"GET", JOB "/candidates/{number}", ACCESS_READ, serve_lookup, "candidate",
     NULL, "candidate"},
    {"GET", JOB "/candidates/{number}/lineage", ACCESS_READ, serve_lookup,
     "lineage", NULL, "candidate"},
    {"GET", JOB "/candidates/{number}/origins", ACCESS_READ, serve_lookup,
     "origins", NULL, "candidate"},
    {"GET", JOB "/candidates/{number}/failures", ACCESS_READ, serve_lookup,
     "failures", "share", "candidate"},
    {"GET", JOB "/candidates/{number}/evaluations", ACCESS_READ, serve_lookup,
     "evaluations", "show limit# offset#", "candidate"},
    {"GET", JOB "/evaluations/{number}", ACCESS_READ, serve_lookup,
     "evaluation", NULL, "evaluation"},
    {"GET", JOB "/calls/{number}", ACCESS_READ, serve_lookup, "call", NULL,
     "call"},
    {"GET", JOB "/compiled", ACCESS_READ, serve_compiled},
    {"POST", JOB "/try", ACCESS_WRITE, serve_try},
    {"POST", JOB "/pause", ACCESS_WRITE, serve_command, "pause"},
    {"POST", JOB "/stop", ACCESS_WRITE, serve_command, "stop"},
    {"POST", JOB "/resume", ACCESS_WRITE, serve_command, "resume"},
};

// Takes the segment at *path for the {name} at *pattern.
static bool take_segment(const char **pattern, const char **path,
                         struct path *out)
{
    char *place = strncmp(*pattern, "{job}", 5) == 0 ? out->job : out->number;
    size_t len = strcspn(*path, "/");

    if (len == 0 || len >= SEGMENT_BYTES)
        return false;
    memcpy(place, *path, len);
    place[len] = '\0';
    *path += len;
    *pattern += strcspn(*pattern, "}") + 1;
    return true;
}

static bool matches(const char *pattern, const char *path, struct path *out)
{
    *out = (struct path){0};
    while (*pattern != '\0') {
        if (*pattern == '{') {
            if (!take_segment(&pattern, &path, out))
                return false;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

// Returns the route, or NULL if there is none. *other is then the method that
// the path does take, or NULL if there is no such path.
static const struct route *find_route(const struct http_request *request,
                                      struct path *path, const char **other)
{
    *other = NULL;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!matches(routes[i].pattern, request->path, path))
            continue;
        if (strcmp(routes[i].method, request->method) == 0)
            return &routes[i];
        *other = routes[i].method;
    }
    return NULL;
}

// Returns true if text is digits or "best"; the name of a file need not be a
// number.
static bool is_number(const struct route *route, const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return route->number == NULL || strcmp(text, "best") == 0 ||
           (digits > 0 && digits <= 18 && text[digits] == '\0');
}

static bool may(struct web *web, const struct route *route,
                const struct http_request *request, struct http_reply *reply)
{
    if (route->access != ACCESS_OPEN && !guard_admits(web->guard, request)) {
        http_reply_header(reply, "WWW-Authenticate", "Bearer");
        send_words(reply, 401,
                   "this server requires its token: log in at /, or send "
                   "`Authorization: Bearer TOKEN`");
        return false;
    }
    return route->access != ACCESS_WRITE ||
           guard_may_change(web->guard, request, reply);
}

// Every path takes one method; one that takes GET also takes HEAD.
static void send_other_method(struct http_reply *reply, const char *method)
{
    struct err err = ERR_CLEAR;

    http_reply_header(reply, "Allow",
                      strcmp(method, "GET") == 0 ? "GET, HEAD" : method);
    err_set(&err, ERR_INPUT, "this address takes %s", method);
    send_error(reply, 405, &err);
}

void web_handle(void *user, const struct http_request *request,
                struct http_reply *reply)
{
    struct web *web = user;
    struct exchange exchange = {.web = web, .request = request, .reply = reply};
    const char *other;

    guard_add_headers(reply);
    if (!guard_host(web->guard, request, reply))
        return;
    exchange.route = find_route(request, &exchange.path, &other);
    if (exchange.route == NULL && other != NULL)
        send_other_method(reply, other);
    else if (exchange.route == NULL ||
             !is_number(exchange.route, exchange.path.number))
        send_words(reply, 404,
                   "there is nothing here: /api/v1/openapi.json lists what "
                   "there is");
    else if (may(web, exchange.route, request, reply))
        exchange.route->serve(&exchange);
}
