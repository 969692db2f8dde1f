#include "talk.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "common/buf.h"
#include "http/address.h"

enum {
    SILENCE_MS = 300, // the reply has no end (a stream of news) after this
    MOST_BYTES = 4 << 20,
};

static int open_line(const char *place)
{
    struct http_address address;
    struct err err = ERR_CLEAR;
    int fd = -1;

    if (!http_address_read(place, &address, &err))
        abort();
    fd = socket(address.at.ss_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address.at, address.len) != 0)
        abort();
    return fd;
}

// Sends all bytes. The server may close before it has read them all.
static void send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        bytes += n;
        len -= (size_t)n;
    }
}

static void read_all(int fd, struct buf *out)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    char block[4096];
    ssize_t n = 1;

    while (n > 0 && !out->failed && poll(&look, 1, SILENCE_MS) > 0) {
        n = recv(fd, block, sizeof block, 0);
        if (n > 0)
            buf_append(out, block, (size_t)n);
    }
}

static int status_of(const struct buf *reply)
{
    int status = 0;

    if (reply->len == 0)
        return 0;
    if (sscanf(reply->data, "HTTP/1.%*1[01] %3d", &status) != 1 ||
        status < 100 || status > 599)
        abort();
    return status;
}

static int ask(const char *place, const struct buf *request)
{
    struct buf reply = BUF_INIT(MOST_BYTES);
    int fd = open_line(place);

    send_all(fd, request->data, request->len);
    (void)shutdown(fd, SHUT_WR);
    read_all(fd, &reply);
    close(fd);
    int status = status_of(&reply);
    buf_release(&reply);
    return status;
}

int talk(const char *place, const void *bytes, size_t len)
{
    struct buf request = BUF_INIT(MOST_BYTES);

    buf_append(&request, bytes, len);
    int status = ask(place, &request);
    buf_release(&request);
    return status;
}

int talk_post(const char *place, const char *path, const void *body, size_t len)
{
    struct buf request = BUF_INIT(MOST_BYTES);

    buf_printf(&request,
               "POST %s HTTP/1.1\r\nHost: localhost\r\n"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
               path, len);
    buf_append(&request, body, len);
    int status = ask(place, &request);
    buf_release(&request);
    return status;
}
