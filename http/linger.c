#include "http/linger.h"

#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { BLOCK_BYTES = 64 << 10 };

void http_linger(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    char block[BLOCK_BYTES];
    size_t left = LINGER_BYTES;

    (void)shutdown(fd, SHUT_WR);
    while (left > 0 && poll(&item, 1, LINGER_SILENCE_MS) > 0) {
        ssize_t got = recv(fd, block, sizeof block, MSG_DONTWAIT);

        if (got <= 0)
            break;
        left -= (size_t)got < left ? (size_t)got : left;
    }
}
