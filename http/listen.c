#include "http/listen.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

enum {
    BACKLOG = 64,
    BIND_MS = 1000, // how long a port in use is tried
};

static void explain_listen(const struct http_address *address, int why,
                           struct err *err)
{
    char place[HTTP_ADDRESS_TEXT];

    http_address_print(address, place);
    if (why == EADDRINUSE)
        err_set(err, ERR_BUSY,
                "%s is in use: another program serves there; stop it or choose "
                "another port (0 picks a free one)",
                place);
    else
        err_set(err, ERR_INPUT,
                "cannot serve HTTP at %s (%s): use an address of this machine",
                place, strerror(why));
}

// A server that was killed keeps its port until its last thread is gone. One
// that is started again right away should not fail because of that.
static bool bind_patiently(int fd, const struct http_address *address)
{
    const struct timespec pause = {.tv_nsec = 20L * 1000 * 1000};
    int64_t until_ms = clock_monotonic_ms() + BIND_MS;

    while (bind(fd, (const struct sockaddr *)&address->at, address->len) != 0) {
        if (errno != EADDRINUSE || clock_monotonic_ms() >= until_ms)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

int http_listen(struct http_address *address, struct err *err)
{
    struct sockaddr *at = (struct sockaddr *)&address->at;
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        !bind_patiently(fd, address) || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, at, &address->len) != 0) {
        explain_listen(address, errno, err);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}
