#include "web/exchange.h"

#include <string.h>

#define API "/api/v1"
#define JOB API "/jobs/{job}"
#define SHARE "share=train|val|test|all"

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
     "limit# offset# sort order=asc|desc kind "
     "state=running|done|incomplete candidate# above%"},
    {"GET", JOB "/curve", ACCESS_READ, serve_lookup, "curve"},
    {"GET", JOB "/importance", ACCESS_READ, serve_lookup, "importance"},
    {"GET", JOB "/tokens", ACCESS_READ, serve_lookup, "tokens"},
    {"GET", JOB "/cost", ACCESS_READ, serve_lookup, "cost"},
    {"GET", JOB "/events", ACCESS_READ, serve_lookup, "events", "limit#"},
    {"GET", JOB "/compare", ACCESS_READ, serve_lookup, "compare",
     "a# b# " SHARE " show=won|lost|same|changed limit# offset#"},
    {"GET", JOB "/candidates/{number}", ACCESS_READ, serve_lookup, "candidate",
     NULL, "candidate"},
    {"GET", JOB "/candidates/{number}/lineage", ACCESS_READ, serve_lookup,
     "lineage", NULL, "candidate"},
    {"GET", JOB "/candidates/{number}/origins", ACCESS_READ, serve_lookup,
     "origins", NULL, "candidate"},
    {"GET", JOB "/candidates/{number}/failures", ACCESS_READ, serve_lookup,
     "failures", SHARE, "candidate"},
    {"GET", JOB "/candidates/{number}/evaluations", ACCESS_READ, serve_lookup,
     "evaluations", "show=wrong|right limit# offset#", "candidate"},
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
        reply_words(reply, 401,
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
    reply_error(reply, 405, &err);
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
        reply_words(reply, 404,
                    "there is nothing here: /api/v1/openapi.json lists what "
                    "there is");
    else if (may(web, exchange.route, request, reply))
        exchange.route->serve(&exchange);
}
