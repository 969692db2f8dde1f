#include "http/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/file.h"
#include "common/hash.h"

enum {
    TOKEN_LEAST = 16, // characters
    TOKEN_BYTES = 256,
    SECRET_BYTES = 32,
};

struct http_token {
    struct hash hash; // of the token, under the secret
    uint8_t secret[SECRET_BYTES];
};

// --- the file ---

static bool make_token(const char *path, struct err *err)
{
    uint8_t bytes[SECRET_BYTES];
    char text[2 * SECRET_BYTES + 2];
    bool ok;

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(text, sizeof text - 1, bytes, sizeof bytes);
    strcat(text, "\n");
    ok = file_create(path, 0600, text, sizeof text - 1);
    if (!ok)
        err_set(err, ERR_INPUT, "cannot write a token to %s: %s",
                FILE_SHOWN(path, 150), strerror(errno));
    return ok;
}

static bool read_open_token(int fd, const char *path, char *out, size_t size,
                            struct err *err)
{
    struct stat stat;
    ssize_t len = read(fd, out, size - 1);

    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || len < 0) {
        err_set(err, ERR_INPUT,
                "cannot read a token from %s: it is not a regular file; "
                "name a file, which is made if it does not exist",
                FILE_SHOWN(path, 130));
        return false;
    }
    if (!file_is_secret(stat.st_mode, stat.st_uid)) {
        err_set(err, ERR_INPUT,
                "others may read the token in %s: run `chmod 600 %s`",
                FILE_SHOWN(path, 95), FILE_SHOWN(path, 95));
        return false;
    }
    out[len] = '\0';
    out[strcspn(out, " \r\n")] = '\0';
    if (strlen(out) >= TOKEN_LEAST)
        return true;
    err_set(err, ERR_INPUT,
            "the token in %s is shorter than %d characters; remove the "
            "file, and a good one is made",
            FILE_SHOWN(path, 120), TOKEN_LEAST);
    return false;
}

static bool read_token(const char *path, char *out, size_t size,
                       struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT) {
        if (!make_token(path, err))
            return false;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd < 0) {
        err_set(err, ERR_INPUT, "cannot read a token from %s: %s",
                FILE_SHOWN(path, 150), strerror(errno));
        return false;
    }
    bool ok = read_open_token(fd, path, out, size, err);
    close(fd);
    return ok;
}

// --- the token ---

static struct hash keyed_hash(const struct http_token *token, const char *text)
{
    struct hasher hasher;

    hasher_init(&hasher, "http-token");
    hasher_add(&hasher, token->secret, sizeof token->secret);
    hasher_add_text(&hasher, text);
    return hasher_end(&hasher);
}

struct http_token *http_token_new(const char *path, struct err *err)
{
    struct http_token *token = calloc(1, sizeof *token);
    char text[TOKEN_BYTES] = "";

    if (token == NULL) {
        err_nomem(err, "a token");
        return NULL;
    }
    if (!read_token(path, text, sizeof text, err)) {
        free(token);
        return NULL;
    }
    randombytes_buf(token->secret, sizeof token->secret);
    token->hash = keyed_hash(token, text);
    sodium_memzero(text, sizeof text);
    return token;
}

void http_token_free(struct http_token *token)
{
    free(token);
}

bool http_token_is(const struct http_token *token, const char *text)
{
    struct hash hash = keyed_hash(token, text);

    return sodium_memcmp(hash.bytes, token->hash.bytes, HASH_BYTES) == 0;
}

bool http_token_comes_with(const struct http_token *token,
                           const struct http_request *request)
{
    const char *says = http_header(request, "Authorization");

    return says != NULL && strncasecmp(says, "Bearer ", 7) == 0 &&
           http_token_is(token, says + 7);
}
