#include "wire/connections.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <zmq.h>

#include "common/clock.h"

static struct err err;
static void *context;
static struct wire_socket *router;
static struct connections *connections;
static int64_t skew_ms; // the tests' clock is so much ahead

static void open_with(size_t most)
{
    err = ERR_CLEAR;
    context = zmq_ctx_new();
    router = wire_bind(context, "tcp://127.0.0.1:0", NULL, &err);
    cr_assert_not_null(router, "%s", err.text);
    connections = connections_new(context, router, most, &err);
    cr_assert_not_null(connections, "%s", err.text);
}

static void set_up(void)
{
    open_with(100);
}

static void tear_down(void)
{
    connections_free(connections);
    wire_close(router);
    zmq_ctx_term(context);
}

TestSuite(connections, .init = set_up, .fini = tear_down, .timeout = 30);

static int open_raw(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int port = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(sscanf(wire_endpoint(router), "tcp://127.0.0.1:%d", &port), 1);
    to.sin_port = htons((uint16_t)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void tick(void)
{
    connections_tick(connections, clock_monotonic_ms() + skew_ms);
}

// Until so many are known of.
static void await_count(size_t n)
{
    for (int i = 0; i < 2000 && connections_count(connections) != n; i++) {
        tick();
        zmq_poll(NULL, 0, 5);
    }
    cr_assert_eq(connections_count(connections), n);
}

// Whether the other end was closed; what it sent before is read.
static bool is_closed(int fd)
{
    char bytes[256];
    struct timeval patience = {.tv_sec = 5};
    ssize_t got = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (got > 0)
        got = read(fd, bytes, sizeof bytes);
    return got == 0;
}

static struct wire_socket *greet(int *fd)
{
    const struct wire_id id = {.len = 2, .bytes = "w1"};
    const struct message beat = {.kind = MESSAGE_HEARTBEAT};
    struct wire_socket *dealer =
        wire_connect(context, wire_endpoint(router), NULL, &id, &err);
    struct wire_frame frame;
    struct wire_id from;

    cr_assert_not_null(dealer, "%s", err.text);
    while (!wire_send(dealer, NULL, &beat, &err))
        zmq_poll(NULL, 0, 5);
    while (wire_take(router, &from, &frame, &err) != WIRE_MESSAGE)
        zmq_poll(NULL, 0, 5);
    *fd = wire_source(router);
    return dealer;
}

Test(connections, one_that_does_not_greet_is_closed_after_ten_seconds)
{
    int fd = open_raw();

    await_count(1);
    skew_ms = 9000;
    tick();
    skew_ms = 11000;
    tick();

    cr_expect(is_closed(fd));
    await_count(0);
    close(fd);
}

Test(connections, one_that_has_greeted_stays)
{
    int fd = -1;
    struct wire_socket *dealer = greet(&fd);

    await_count(1);
    cr_assert_geq(fd, 0);
    cr_expect(connections_admit(connections, fd, 10, 0));
    connections_greeted(connections, fd, 1);
    skew_ms = 11000;
    tick();
    zmq_poll(NULL, 0, 100);
    tick();

    cr_expect_eq(connections_count(connections), 1);
    wire_close(dealer);
}

Test(connections, a_stranger_may_not_send_without_end)
{
    int fd = -1;
    struct wire_socket *dealer = greet(&fd);
    int n = 0;

    await_count(1);
    while (n < 10000 && connections_admit(connections, fd, 10, 0))
        n++;

    cr_expect_leq(n, 1000);
    await_count(0);
    wire_close(dealer);
}

Test(connections, a_stranger_may_not_send_much)
{
    int fd = -1;
    struct wire_socket *dealer = greet(&fd);

    await_count(1);
    cr_expect(connections_admit(connections, fd, 60000, 0));
    cr_expect_not(connections_admit(connections, fd, 1 << 20, 0));
    wire_close(dealer);
}

Test(connections, whose_peer_has_gone_is_a_stranger_again)
{
    int fd = -1;
    struct wire_socket *dealer = greet(&fd);
    int n = 0;

    await_count(1);
    connections_greeted(connections, fd, 1);
    connections_parted(connections, fd, 1, 0);
    while (n < 10000 && connections_admit(connections, fd, 10, 0))
        n++;

    cr_expect_lt(n, 10000);
    wire_close(dealer);
}

// A peer went, its descriptor is another connection's, and the coordinator
// hears of it a second later.
Test(connections, one_that_came_after_is_not_closed_for_its_forerunner)
{
    int fd = -1;
    struct wire_socket *dealer = greet(&fd);

    await_count(1);
    connections_greeted(connections, fd, 2);
    connections_close(connections, fd, 1);
    connections_parted(connections, fd, 1, 0);
    cr_expect(connections_admit(connections, fd, 1 << 20, 0));
    connections_close(connections, fd, 2);
    await_count(0);
    wire_close(dealer);
}

Test(connections, too_many_are_refused_and_far_too_many_closed)
{
    int fds[40];

    tear_down();
    open_with(4);
    for (int i = 0; i < 4; i++)
        fds[i] = open_raw();
    await_count(4);
    cr_expect_not(connections_crowded(connections));
    for (int i = 4; i < 36; i++)
        fds[i] = open_raw();
    await_count(36);
    cr_expect(connections_crowded(connections));

    for (int i = 36; i < 40; i++)
        fds[i] = open_raw();

    await_count(36);
    for (int i = 36; i < 40; i++)
        cr_expect(is_closed(fds[i]));
    for (int i = 0; i < 40; i++)
        close(fds[i]);
}

Test(connections, inside_a_process_there_are_none)
{
    cr_expect(connections_admit(connections, -1, SIZE_MAX / 2, 0));
    connections_greeted(connections, -1, 1);
    connections_close(connections, -1, 1);
    cr_expect_eq(connections_count(connections), 0);
}
