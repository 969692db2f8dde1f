#include "web/guard.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/error_document.h"
#include "common/hash.h"
#include "common/text.h"

enum {
    TOKEN_LEAST = 16, // characters
    TOKEN_BYTES = 256,
    SECRET_BYTES = 32,
    COOKIE_DAYS = 7,
};

struct guard {
    bool has_token;
    struct hash token;             // of it, under the secret
    char cookie[GUARD_WORD_BYTES]; // what a browser holds after a login
    char csrf[GUARD_WORD_BYTES];
    uint8_t secret[SECRET_BYTES]; // fresh at each start
};

// --- the token ---

static bool make_token(const char *path, struct err *err)
{
    uint8_t bytes[SECRET_BYTES];
    char text[2 * SECRET_BYTES + 2];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = false;

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(text, sizeof text - 1, bytes, sizeof bytes);
    strcat(text, "\n");
    if (fd >= 0)
        ok = write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1;
    if (!ok)
        err_set(err, ERR_INPUT, "cannot write a token to %.150s: %s", path,
                strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool read_open_token(int fd, const char *path, char *out, size_t size,
                            struct err *err)
{
    struct stat stat;
    ssize_t len = read(fd, out, size - 1);

    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || len < 0) {
        err_set(err, ERR_INPUT, "cannot read a token from %.150s", path);
        return false;
    }
    if ((stat.st_mode & 077) != 0) {
        err_set(err, ERR_INPUT,
                "others may read the token in %.120s: run `chmod 600 %.80s`",
                path, path);
        return false;
    }
    out[len] = '\0';
    out[strcspn(out, " \r\n")] = '\0';
    if (strlen(out) >= TOKEN_LEAST)
        return true;
    err_set(err, ERR_INPUT,
            "the token in %.120s is shorter than %d characters; remove the "
            "file, and a good one is made",
            path, TOKEN_LEAST);
    return false;
}

static bool read_token(const char *path, char *out, size_t size,
                       struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT && make_token(path, err))
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    else if (fd < 0 && errno == ENOENT)
        return false;
    if (fd < 0) {
        err_set(err, ERR_INPUT, "cannot read a token from %.150s: %s", path,
                strerror(errno));
        return false;
    }
    bool ok = read_open_token(fd, path, out, size, err);
    close(fd);
    return ok;
}

// A word that only who has the secret can make.
static struct hash word_of(const struct guard *guard, const char *purpose,
                           const char *text)
{
    struct hasher hasher;

    hasher_init(&hasher, purpose);
    hasher_add(&hasher, guard->secret, sizeof guard->secret);
    hasher_add_text(&hasher, text);
    return hasher_end(&hasher);
}

struct guard *guard_new(const char *token_path, struct err *err)
{
    struct guard *guard = calloc(1, sizeof *guard);
    char token[TOKEN_BYTES] = "";
    struct hash word;

    if (guard == NULL) {
        err_nomem(err, "the guard of the pages");
        return NULL;
    }
    if (token_path != NULL &&
        !read_token(token_path, token, sizeof token, err)) {
        free(guard);
        return NULL;
    }
    randombytes_buf(guard->secret, sizeof guard->secret);
    guard->has_token = token_path != NULL;
    guard->token = word_of(guard, "http-token", token);
    word = word_of(guard, "http-cookie", token);
    hash_hex(&word, guard->cookie);
    word = word_of(guard, "http-csrf", token);
    hash_hex(&word, guard->csrf);
    sodium_memzero(token, sizeof token);
    return guard;
}

void guard_free(struct guard *guard)
{
    free(guard);
}

bool guard_has_token(const struct guard *guard)
{
    return guard->has_token;
}

const char *guard_csrf(const struct guard *guard)
{
    return guard->csrf;
}

// --- where a request comes to, and from ---

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
    const char *host = http_header(request, "Host");

    if (host != NULL && (guard->has_token || is_loopback_name(host)))
        return true;
    refuse(reply, 421,
           "this address answers as localhost or 127.0.0.1 alone: open it "
           "under one of these names");
    return false;
}

// "http://HOST" or "https://HOST", where HOST is what was asked for.
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
    const char *says = http_header(request, "Authorization");

    if (!guard->has_token || says == NULL ||
        strncasecmp(says, "Bearer ", 7) != 0)
        return false;
    struct hash word = word_of(guard, "http-token", says + 7);
    return sodium_memcmp(word.bytes, guard->token.bytes, HASH_BYTES) == 0;
}

// Cookies belong to a host, whatever its port: ours has the port in its name,
// so that two servers of one machine do not log each other out.
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

bool guard_knows(const struct guard *guard, const struct http_request *request)
{
    return !guard->has_token || has_bearer(guard, request) ||
           has_cookie(guard, request);
}

static bool is_json(const struct http_request *request)
{
    const char *type = http_header(request, "Content-Type");

    return type != NULL && strncasecmp(type, "application/json", 16) == 0 &&
           strchr("; ", type[16]) != NULL;
}

static bool is_browser(const struct http_request *request)
{
    return http_header(request, "Origin") != NULL ||
           http_header(request, "Cookie") != NULL ||
           http_header(request, "Sec-Fetch-Site") != NULL;
}

bool guard_means_it(const struct guard *guard,
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
    if (!is_json(request)) {
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
    struct hash word = word_of(guard, "http-token", token);
    char name[32], cookie[HTTP_VALUE_BYTES];

    if (!guard->has_token ||
        sodium_memcmp(word.bytes, guard->token.bytes, HASH_BYTES) != 0)
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

void guard_dress(struct http_reply *reply)
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
