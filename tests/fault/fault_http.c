// A page that follows events, when memory runs out.

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault/alloc_fault.h"
#include "http/server.h"

static struct http_server *server;
static atomic_int opened, closed;

static bool end_at_once(void *user, struct buf *out)
{
    (void)user;
    (void)out;
    return false;
}

static void close_stream(void *user)
{
    (void)user;
    atomic_fetch_add(&closed, 1);
}

static void give_stream(void *user, const struct http_request *request,
                        struct http_reply *reply)
{
    (void)user;
    (void)request;
    atomic_fetch_add(&opened, 1);
    reply->stream = (struct http_stream){NULL, end_at_once, close_stream};
}

static void start_server(void)
{
    struct http_options options = {.max_connections = 8,
                                   .max_streams = 1,
                                   .max_body = 1000,
                                   .max_reply = 1000,
                                   .handler = give_stream};
    struct err err = ERR_CLEAR;

    cr_assert(http_address_read("127.0.0.1:0", &options.address, &err));
    server = http_start(&options, &err);
    cr_assert_not_null(server, "%s", err.text);
}

static void stop_server(void)
{
    http_stop(server);
}

TestSuite(fault_http, .init = start_server, .fini = stop_server);

// Returns the status of an answer, or 0 if the connection ended without one.
static int ask_for_page(void)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct sockaddr_in at = {.sin_family = AF_INET};
    char answer[4096];
    size_t len = 0;
    ssize_t got = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_port =
        htons((uint16_t)strtol(strrchr(http_place(server), ':') + 1, NULL, 10));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(send(fd, request, sizeof request - 1, MSG_NOSIGNAL),
                 (ssize_t)sizeof request - 1);
    while (got > 0 && len < sizeof answer - 1) {
        got = recv(fd, answer + len, sizeof answer - 1 - len, 0);
        len += got > 0 ? (size_t)got : 0;
    }
    answer[len] = '\0';
    (void)close(fd);
    return len > 12 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

// Checks that the only place for a stream is free again, however the last
// stream ended.
static bool follow(struct err *err)
{
    int status = ask_for_page();

    while (atomic_load(&closed) < atomic_load(&opened))
        (void)poll(NULL, 0, 1);
    if (status != 200)
        err_nomem(err, "a page");
    return status == 200;
}

Test(fault_http, stream_out_of_memory_does_not_occupy_a_place, .timeout = 300)
{
    fault_each(follow);
}
