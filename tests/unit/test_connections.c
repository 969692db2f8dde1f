#include "wire/connections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <linux/tcp.h>
#include <zmq.h>

#include "common/clock.h"
#include "common/descriptors.h"

enum { CROWD = 2000 };

static struct err err;
static void *context;
static struct wire_socket *router;
static struct connections *connections;
static int64_t skew_ms; // how far the tests' clock is ahead

static void open_with(size_t most, size_t stranger_bytes)
{
    const struct connections_limits limits = {most, stranger_bytes};

    err = ERR_CLEAR;
    context = zmq_ctx_new();
    router = wire_bind(context, "tcp://127.0.0.1:0", NULL, &err);
    cr_assert_not_null(router, "%s", err.text);
    connections = connections_new(context, router, &limits, &err);
    cr_assert_not_null(connections, "%s", err.text);
}

static void set_up(void)
{
    open_with(100, CONNECTIONS_STRANGER_BYTES);
}

static void tear_down(void)
{
    connections_free(connections);
    wire_close(router);
    zmq_ctx_term(context);
}

TestSuite(connections, .init = set_up, .fini = tear_down, .timeout = 300);

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

// Waits until n connections are known.
static void await_count(size_t n)
{
    for (int i = 0; i < 2000 && connections_count(connections) != n; i++) {
        tick();
        zmq_poll(NULL, 0, 5);
    }
    cr_assert_eq(connections_count(connections), n);
}

// Returns whether the other end has closed; reads what it sent before.
static bool is_closed(int fd)
{
    char bytes[256];
    struct timeval patience = {.tv_sec = 60};
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

Test(connections, connection_without_a_greeting_is_closed_after_ten_seconds)
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

Test(connections, connection_that_has_greeted_stays_open)
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

Test(connections, broken_connection_of_a_peer_is_reported_once)
{
    int fd = -1;
    int broken = -1;
    int64_t peer = 0;
    struct wire_socket *dealer = greet(&fd);

    await_count(1);
    connections_greeted(connections, fd, 7);
    cr_expect_not(connections_broken(connections, &broken, &peer));
    cr_expect_eq(connections_lost(connections), 0);
    wire_close(dealer);
    await_count(0);

    cr_expect_eq(connections_lost(connections), 1);
    cr_assert(connections_broken(connections, &broken, &peer));
    cr_expect_eq(broken, fd);
    cr_expect_eq(peer, 7);
    cr_expect_not(connections_broken(connections, &broken, &peer));
}

Test(connections, broken_connection_of_a_stranger_is_not_reported)
{
    int fd = open_raw();
    int64_t peer = 0;

    await_count(1);
    close(fd);
    await_count(0);
    cr_expect_not(connections_broken(connections, &fd, &peer));
    cr_expect_eq(connections_lost(connections), 0);
}

Test(connections, stranger_cannot_send_endlessly)
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

Test(connections, stranger_cannot_send_much)
{
    int fd = -1;
    struct wire_socket *dealer = greet(&fd);

    await_count(1);
    cr_expect(connections_admit(connections, fd, 60000, 0));
    cr_expect_not(connections_admit(connections, fd, 1 << 20, 0));
    wire_close(dealer);
}

Test(connections, connection_whose_peer_left_is_a_stranger_again)
{
    int fd = -1;
    struct wire_socket *dealer = greet(&fd);
    int n = 0;

    await_count(1);
    connections_greeted(connections, fd, 1);
    connections_peer_gone(connections, fd, 1, 0);
    while (n < 10000 && connections_admit(connections, fd, 10, 0))
        n++;

    cr_expect_lt(n, 10000);
    wire_close(dealer);
}

// A peer has gone, its descriptor now belongs to another connection, and the
// coordinator learns of it a second later.
Test(connections, new_connection_is_not_closed_in_place_of_its_predecessor)
{
    int fd = -1;
    struct wire_socket *dealer = greet(&fd);

    await_count(1);
    connections_greeted(connections, fd, 2);
    connections_close(connections, fd, 1);
    connections_peer_gone(connections, fd, 1, 0);
    cr_expect(connections_admit(connections, fd, 1 << 20, 0));
    connections_close(connections, fd, 2);
    await_count(0);
    wire_close(dealer);
}

// Returns whether the other end is still open; reads what it sent.
static bool is_open(int fd)
{
    char bytes[256];
    ssize_t got = 1;

    while (got > 0)
        got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    return got < 0 && errno == EAGAIN;
}

// Lets time pass until this connection is closed.
static void await_end(int fd)
{
    for (int i = 0; i < 90 && is_open(fd); i++) {
        skew_ms += 100;
        tick();
        zmq_poll(NULL, 0, 5);
    }
    cr_assert_not(is_open(fd));
}

Test(connections, excess_connections_are_refused_and_at_the_hard_limit_closed)
{
    int fds[40];

    tear_down();
    open_with(4, CONNECTIONS_STRANGER_BYTES);
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

    for (int i = 36; i < 40; i++)
        await_end(fds[i]);
    await_count(36);
    for (int i = 0; i < 40; i++)
        close(fds[i]);
}

// ZeroMQ closes a connection whose handshake is not complete within five
// seconds.
static void shake_hands(int fd)
{
    static const char greeting[64] = {
        [0] = (char)0xff, [9] = 0x7f, [10] = 3,  [12] = 'N',
        [13] = 'U',       [14] = 'L', [15] = 'L'};
    static const char ready[] =
        "\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06"
        "DEALER";

    cr_assert_eq(send(fd, greeting, sizeof greeting, 0), sizeof greeting);
    cr_assert_eq(send(fd, ready, sizeof ready - 1, 0), sizeof ready - 1);
}

static int open_stranger(void)
{
    int fd = open_raw();

    shake_hands(fd);
    return fd;
}

// Sends a part of a frame of 60,000 bytes.
static void send_unfinished(int fd)
{
    static const char frame[50000] = {0x02, 0, 0, 0, 0, 0, 0, (char)0xea, 0x60};

    cr_assert_eq(send(fd, frame, sizeof frame, 0), sizeof frame);
}

// This happens after a restart, when thousands of workers come back at once.
Test(connections, crowd_that_has_not_greeted_yet_is_admitted)
{
    static int fds[CROWD];
    int n = 0;

    descriptors_raise();
    tear_down();
    open_with(CROWD, CONNECTIONS_STRANGER_BYTES);
    n = (int)descriptors_limit() / 2 - 100; // both ends are in this process
    n = n < CROWD ? n : CROWD;
    for (int i = 0; i < n; i++) {
        fds[i] = open_stranger();
        tick();
    }
    await_count((size_t)n);
    skew_ms = 1000;
    tick();

    for (int i = 0; i < n; i++)
        cr_assert(is_open(fds[i]), "number %d of %d was cut off", i + 1, n);
    for (int i = 0; i < n; i++)
        close(fds[i]);
}

Test(connections, oldest_stranger_is_closed_when_there_are_too_many)
{
    int fds[11];

    tear_down();
    open_with(100, (size_t)10 * CONNECTION_BYTES);
    for (int i = 0; i < 10; i++)
        fds[i] = open_stranger();
    await_count(10);
    fds[10] = open_stranger();
    await_end(fds[0]);
    for (int i = 1; i < 11; i++)
        cr_expect(is_open(fds[i]));
    for (int i = 0; i < 11; i++)
        close(fds[i]);
}

// Returns whether the kernel counts what a connection has received. An emulated
// one may not, and then only the number of strangers tells how much they hold.
static bool is_counted(void)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    int fd = open_raw();
    bool ok = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
              len >= offsetof(struct tcp_info, tcpi_bytes_received) +
                         sizeof info.tcpi_bytes_received;

    close(fd);
    return ok;
}

Test(connections, strangers_that_hold_much_memory_are_closed_first)
{
    int fds[10];

    if (!is_counted())
        cr_skip_test("this kernel does not tell of TCP_INFO");
    tear_down();
    open_with(100, (size_t)11 * CONNECTION_BYTES);
    for (int i = 0; i < 10; i++)
        fds[i] = open_stranger();
    await_count(10);
    send_unfinished(fds[7]);
    await_end(fds[7]);
    for (int i = 0; i < 10; i++)
        cr_expect(i == 7 || is_open(fds[i]), "number %d", i);
    for (int i = 0; i < 10; i++)
        close(fds[i]);
}

Test(connections, in_process_peers_have_no_connection)
{
    cr_expect(connections_admit(connections, -1, SIZE_MAX / 2, 0));
    connections_greeted(connections, -1, 1);
    connections_close(connections, -1, 1);
    cr_expect_eq(connections_count(connections), 0);
}
