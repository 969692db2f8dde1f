// getaddrinfo is POSIX; NI_MAXHOST is not.
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

// Splits tcp://HOST:PORT or tcp://[HOST]:PORT. Returns false for devices and
// everything else that ZeroMQ accepts.
static bool split(const char *endpoint, char host[HOST_BYTES],
                  const char **port)
{
    static const char scheme[] = "tcp://";
    const char *at = endpoint + sizeof scheme - 1;
    size_t len, brackets;

    if (strncmp(endpoint, scheme, sizeof scheme - 1) != 0)
        return false;
    brackets = at[0] == '[' ? 1 : 0;
    at += brackets;
    len = strcspn(at, brackets > 0 ? "]" : ":");
    if (len == 0 || len >= HOST_BYTES || at[len] == '\0' ||
        at[len + brackets] != ':' || strchr(at, ';') != NULL)
        return false;
    memcpy(host, at, len);
    host[len] = '\0';
    *port = at + len + brackets + 1;
    return true;
}

// Returns NULL if there is no address. *why is then the resolver's error, or 0
// if split does not handle the endpoint.
static struct addrinfo *resolve(const char *endpoint, int *why)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[HOST_BYTES];
    const char *port;

    *why = 0;
    if (split(endpoint, host, &port))
        *why = getaddrinfo(host, port, &hints, &found);
    return *why == 0 ? found : NULL;
}

// Returns 0, or why there is no connection.
static int await_connection(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof error;

    if (poll(&item, 1, KNOCK_MS) != 1)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error
                                                                   : errno;
}

// Returns 0 if somebody listens, otherwise why not. *fd is the connection,
// which the caller must close in any case; -1: none.
static int reach(const struct addrinfo *address, int *fd)
{
    int why = 0;

    *fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                 0);
    if (*fd < 0 || connect(*fd, address->ai_addr, address->ai_addrlen) != 0)
        why = errno;
    return why == EINPROGRESS ? await_connection(*fd) : why;
}

static void hang_up(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static int knock(const struct addrinfo *address)
{
    int fd, why = reach(address, &fd);

    hang_up(fd);
    return why;
}

// Returns the first of at most four addresses where somebody listens, and sets
// *why to 0. If there is none it returns NULL, and *why is the reason at the
// first address.
static const struct addrinfo *find_listener(const struct addrinfo *found,
                                            int *why)
{
    int tried = 0, first = 0;

    for (const struct addrinfo *at = found; at != NULL && tried < TRIED_MOST;
         at = at->ai_next) {
        *why = knock(at);
        if (*why == 0)
            return at;
        if (tried++ == 0)
            first = *why;
    }
    *why = first;
    return NULL;
}

// Returns an address where somebody listens, or else the first IPv4 address.
static const struct addrinfo *choose(const struct addrinfo *found)
{
    int why;
    const struct addrinfo *at = find_listener(found, &why);

    if (at == NULL)
        for (at = found; at != NULL && at->ai_family != AF_INET;)
            at = at->ai_next;
    return at;
}

static const char *meaning_of(int why)
{
    switch (why) {
    case 0:
        return "something listens there, but does not answer as one";
    case ECONNREFUSED:
        return "nothing listens at that port";
    case ETIMEDOUT:
        return "no machine answers there, or a firewall blocks it";
    default:
        return strerror(why);
    }
}

void endpoint_explain(const char *endpoint, char out[ENDPOINT_REASON_BYTES])
{
    int why;
    struct addrinfo *found = resolve(endpoint, &why);

    if (found != NULL) {
        (void)find_listener(found, &why);
        (void)snprintf(out, ENDPOINT_REASON_BYTES, " (%s)", meaning_of(why));
    } else if (why != 0)
        (void)snprintf(out, ENDPOINT_REASON_BYTES, " (no such address: %s)",
                       gai_strerror(why));
    else
        out[0] = '\0';
    if (found != NULL)
        freeaddrinfo(found);
}

void endpoint_find(const char *endpoint, char out[ENDPOINT_BYTES])
{
    int why;
    struct addrinfo *found = resolve(endpoint, &why);
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

static bool is_silent(const struct addrinfo *address)
{
    static const char lines[] = "\r\n\r\n";
    int fd, why = reach(address, &fd);
    struct pollfd item = {.fd = fd, .events = POLLIN};
    bool silent =
        why == 0 &&
        send(fd, lines, sizeof lines - 1, MSG_NOSIGNAL) == sizeof lines - 1 &&
        poll(&item, 1, KNOCK_MS) == 0;

    hang_up(fd);
    return silent;
}

bool endpoint_is_silent(const char *endpoint)
{
    int why;
    struct addrinfo *found = resolve(endpoint, &why);
    const struct addrinfo *at =
        found == NULL ? NULL : find_listener(found, &why);
    bool silent = at != NULL && is_silent(at);

    if (found != NULL)
        freeaddrinfo(found);
    return silent;
}
