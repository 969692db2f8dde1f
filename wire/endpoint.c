// The resolver is POSIX; NI_MAXHOST is not.
#define _GNU_SOURCE

#include "wire/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRIED_MOST = 4, KNOCK_MS = 300, HOST_BYTES = 256 };

// HOST and PORT of tcp://HOST:PORT. Addresses in brackets, devices and whatever
// else ZeroMQ takes are none of ours.
static bool split(const char *endpoint, char host[HOST_BYTES],
                  const char **port)
{
    static const char scheme[] = "tcp://";
    const char *at = endpoint + sizeof scheme - 1;
    size_t len;

    if (strncmp(endpoint, scheme, sizeof scheme - 1) != 0)
        return false;
    len = strcspn(at, ":");
    if (len == 0 || len >= HOST_BYTES || at[len] != ':' ||
        strpbrk(at, "[];") != NULL)
        return false;
    memcpy(host, at, len);
    host[len] = '\0';
    *port = at + len + 1;
    return true;
}

static struct addrinfo *resolve(const char *endpoint)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[HOST_BYTES];
    const char *port;

    if (!split(endpoint, host, &port) ||
        getaddrinfo(host, port, &hints, &found) != 0)
        return NULL;
    return found;
}

static bool is_connected(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof error;

    return poll(&item, 1, KNOCK_MS) == 1 &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
           error == 0;
}

static bool somebody_listens(const struct addrinfo *address)
{
    int fd = socket(address->ai_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool stands =
        fd >= 0 && (connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
                    (errno == EINPROGRESS && is_connected(fd)));

    if (fd >= 0)
        (void)close(fd);
    return stands;
}

// Of several. The first four are knocked at.
static const struct addrinfo *choose(const struct addrinfo *found)
{
    const struct addrinfo *v4 = NULL;
    int tried = 0;

    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        if (v4 == NULL && at->ai_family == AF_INET)
            v4 = at;
        if (tried++ < TRIED_MOST && somebody_listens(at))
            return at;
    }
    return v4;
}

void endpoint_find(const char *endpoint, char out[ENDPOINT_BYTES])
{
    struct addrinfo *found = resolve(endpoint);
    const struct addrinfo *chosen =
        found != NULL && found->ai_next != NULL ? choose(found) : NULL;
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (chosen != NULL &&
        getnameinfo(chosen->ai_addr, chosen->ai_addrlen, host, sizeof host,
                    port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0 &&
        strlen(host) + strlen(port) + sizeof "tcp://[]:" < ENDPOINT_BYTES)
        (void)snprintf(out, ENDPOINT_BYTES,
                       chosen->ai_family == AF_INET6 ? "tcp://[%.200s]:%.20s"
                                                     : "tcp://%.200s:%.20s",
                       host, port);
    else
        (void)snprintf(out, ENDPOINT_BYTES, "%s", endpoint);
    if (found != NULL)
        freeaddrinfo(found);
}
