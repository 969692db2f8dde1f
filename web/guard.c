#include "web/guard.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "common/buf.h"
#include "common/error_document.h"
#include "http/token.h"

enum { COOKIE_DAYS = 7 };

struct guard {
    struct http_token *token;      // NULL: no token is required
    char cookie[GUARD_WORD_BYTES]; // what a browser holds after a login
    char csrf[GUARD_WORD_BYTES];   // both are new at each start
};

// Makes a word that nobody can guess.
static void make_word(char out[GUARD_WORD_BYTES])
{
    uint8_t bytes[(GUARD_WORD_BYTES - 1) / 2];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(out, GUARD_WORD_BYTES, bytes, sizeof bytes);
}

struct guard *guard_new(const char *token_path, struct err *err)
{
    struct guard *guard = calloc(1, sizeof *guard);

    if (guard == NULL) {
        err_nomem(err, "the guard of the pages");
        return NULL;
    }
    if (token_path != NULL)
        guard->token = http_token_new(token_path, err);
    if (token_path != NULL && guard->token == NULL) {
        free(guard);
        return NULL;
    }
    make_word(guard->cookie);
    make_word(guard->csrf);
    return guard;
}

void guard_free(struct guard *guard)
{
    if (guard != NULL)
        http_token_free(guard->token);
    free(guard);
}

bool guard_has_token(const struct guard *guard)
{
    return guard->token != NULL;
}

const char *guard_csrf(const struct guard *guard)
{
    return guard->csrf;
}

// --- where a request goes, and where it comes from ---

static void refuse(struct http_reply *reply, unsigned status,
                   const char *sentence)
{
    struct err err = ERR_CLEAR;
    char *document;

    err_set(&err, ERR_INPUT, "%s", sentence);
    document = error_document(&err);
    reply->status = status;
    reply->type = "application/json";
    buf_clear(&reply->body);
    buf_puts(&reply->body, document == NULL ? "{}" : document);
    free(document);
}

bool guard_host(const struct guard *guard, const struct http_request *request,
                struct http_reply *reply)
{
    if (guard->token != NULL ? http_header(request, "Host") != NULL
                             : http_host_is_loopback(request))
        return true;
    refuse(reply, 421,
           "this address only answers as localhost or 127.0.0.1: open it "
           "under one of these names");
    return false;
}

// Returns true for "http://HOST" or "https://HOST", where HOST is the request's
// Host.
static bool is_same_origin(const struct http_request *request,
                           const char *origin)
{
    const char *host = http_header(request, "Host");
    const char *at = strstr(origin, "://");

    return host != NULL && at != NULL &&
           (strncmp(origin, "http://", 7) == 0 ||
            strncmp(origin, "https://", 8) == 0) &&
           strcasecmp(at + 3, host) == 0;
}

static bool same_word(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && sodium_memcmp(a, b, strlen(a)) == 0;
}

// --- who asks ---

static bool has_bearer(const struct guard *guard,
                       const struct http_request *request)
{
    return guard->token != NULL && http_token_comes_with(guard->token, request);
}

// Cookies belong to a host, whatever its port. Ours has the port in its name,
// so that two servers on one machine do not log each other out.
static void cookie_name(const struct http_request *request, char out[32])
{
    const char *host = http_header(request, "Host");
    const char *port = host == NULL ? NULL : strrchr(host, ':');

    (void)snprintf(out, 32, "promptcc_%.5s",
                   port != NULL && isdigit((unsigned char)port[1]) ? port + 1
                                                                   : "80");
}

static bool has_cookie(const struct guard *guard,
                       const struct http_request *request)
{
    const char *at = http_header(request, "Cookie");
    char name[32];

    cookie_name(request, name);
    for (size_t len = strlen(name); at != NULL && *at != '\0';) {
        char value[GUARD_WORD_BYTES + 1] = "";

        at += strspn(at, "; ");
        size_t whole = strcspn(at, ";");
        if (strncmp(at, name, len) == 0 && at[len] == '=' &&
            whole - len - 1 < sizeof value) {
            memcpy(value, at + len + 1, whole - len - 1);
            if (same_word(value, guard->cookie))
                return true;
        }
        at += whole;
    }
    return false;
}

bool guard_admits(const struct guard *guard, const struct http_request *request)
{
    return guard->token == NULL || has_bearer(guard, request) ||
           has_cookie(guard, request);
}

static bool is_browser(const struct http_request *request)
{
    return http_header(request, "Origin") != NULL ||
           http_header(request, "Cookie") != NULL ||
           http_header(request, "Sec-Fetch-Site") != NULL;
}

bool guard_may_change(const struct guard *guard,
                      const struct http_request *request,
                      struct http_reply *reply)
{
    const char *origin = http_header(request, "Origin");
    const char *site = http_header(request, "Sec-Fetch-Site");
    const char *csrf = http_header(request, "X-Promptcc-Csrf");

    if ((origin != NULL && !is_same_origin(request, origin)) ||
        (site != NULL && strcmp(site, "same-origin") != 0)) {
        refuse(reply, 403, "this request comes from another site");
        return false;
    }
    if (!http_is_json(request)) {
        refuse(reply, 415,
               "the body must be JSON (Content-Type: "
               "application/json)");
        return false;
    }
    if (!has_bearer(guard, request) && is_browser(request) &&
        (csrf == NULL || !same_word(csrf, guard->csrf))) {
        refuse(reply, 403,
               "a browser's request needs X-Promptcc-Csrf with the word that "
               "/api/v1/session tells; reload the page");
        return false;
    }
    return true;
}

// --- logging in ---

bool guard_login(const struct guard *guard, const struct http_request *request,
                 const char *token, struct http_reply *reply)
{
    char name[32], cookie[HTTP_VALUE_BYTES];

    if (guard->token == NULL || !http_token_is(guard->token, token))
        return false;
    cookie_name(request, name);
    (void)snprintf(cookie, sizeof cookie,
                   "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d", name,
                   guard->cookie, COOKIE_DAYS * 86400);
    http_reply_header(reply, "Set-Cookie", cookie);
    return true;
}

void guard_logout(const struct guard *guard, const struct http_request *request,
                  struct http_reply *reply)
{
    char name[32], cookie[HTTP_VALUE_BYTES];

    (void)guard;
    cookie_name(request, name);
    (void)snprintf(cookie, sizeof cookie,
                   "%s=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0", name);
    http_reply_header(reply, "Set-Cookie", cookie);
}

// --- replies ---

void guard_add_headers(struct http_reply *reply)
{
    static const char *const headers[][2] = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; "
         "img-src 'self' data:; connect-src 'self'; form-action 'self'; "
         "base-uri 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };

    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        http_reply_header(reply, headers[i][0], headers[i][1]);
}
