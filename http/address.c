#include "http/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loopback.h"

// Splits "HOST:PORT" or "[HOST]:PORT". port points into text.
static bool split(const char *text, char *host, size_t size, const char **port)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - text);
    bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';

    if (bracketed) {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len) != NULL) {
        return false;
    }
    if (len == 0 || len >= size)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    *port = colon + 1;
    return true;
}

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits <= 5 && text[digits] == '\0' &&
           atol(text) <= UINT16_MAX;
}

// Of several addresses of a name, takes the first of IPv4, and so 127.0.0.1 for
// localhost. Whoever connects to the name tries all of them, but many connect
// to 127.0.0.1 when they mean this machine. A coordinator does the same.
static const struct addrinfo *choose(const struct addrinfo *found)
{
    const struct addrinfo *at = found;

    while (at != NULL && at->ai_family != AF_INET)
        at = at->ai_next;
    return at == NULL ? found : at;
}

bool http_address_read(const char *text, struct http_address *out,
                       struct err *err)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[256];
    const char *port;

    if (!split(text, host, sizeof host, &port) || !is_port(port)) {
        err_set(
            err, ERR_INPUT,
            "`%.80s` is not an address to serve HTTP at: write HOST:PORT, such "
            "as 127.0.0.1:8070 or [::1]:8070, with port 0 for a free one",
            text);
        return false;
    }
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        err_set(err, ERR_INPUT, "there is no host `%.80s`: %s", host,
                gai_strerror(rc));
        return false;
    }
    const struct addrinfo *at = choose(found);
    *out = (struct http_address){.len = at->ai_addrlen,
                                 .loopback = loopback_address(at->ai_addr)};
    memcpy(&out->at, at->ai_addr, at->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

void http_address_print(const struct http_address *address,
                        char out[HTTP_ADDRESS_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "?";
    char port[8] = "?";

    (void)getnameinfo((const struct sockaddr *)&address->at, address->len, host,
                      sizeof host, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV);
    (void)snprintf(out, HTTP_ADDRESS_TEXT,
                   address->at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
                   host, port);
}
