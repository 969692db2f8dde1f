#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "common/clock.h"
#include "wire/assembly.h"
#include "wire/inproc.h"
#include "wire/socket.h"

static struct err err;
static struct arena arena;
static void *context;

static void set_up(void)
{
    err = ERR_CLEAR;
    arena = ARENA_INIT(1 << 20);
    context = zmq_ctx_new();
}

static void tear_down(void)
{
    arena_release(&arena);
    zmq_ctx_term(context);
}

TestSuite(socket, .init = set_up, .fini = tear_down, .timeout = 300);

static struct wire_socket *connect_as(const char *name, const char *endpoint)
{
    struct wire_id id = {.len = (uint8_t)strlen(name)};

    memcpy(id.bytes, name, id.len);
    struct wire_socket *socket =
        wire_connect(context, endpoint, NULL, &id, &err);
    cr_assert_not_null(socket, "%s", err.text);
    return socket;
}

static struct wire_socket *bind_at(const char *endpoint)
{
    struct wire_socket *socket = wire_bind(context, endpoint, NULL, &err);

    cr_assert_not_null(socket, "%s", err.text);
    return socket;
}

// Sends as soon as the connection is up.
static void send_soon(struct wire_socket *socket, const struct wire_id *to,
                      const struct message *message)
{
    int64_t deadline_ms = clock_monotonic_ms() + 60000;

    while (!wire_send(socket, to, message, &err)) {
        cr_assert_lt(clock_monotonic_ms(), deadline_ms, "%s", err.text);
        zmq_poll(NULL, 0, 5);
    }
}

static enum wire_got receive_soon(struct wire_socket *socket,
                                  struct wire_id *from, struct message *out)
{
    zmq_pollitem_t item = {.socket = wire_handle(socket), .events = ZMQ_POLLIN};

    zmq_poll(&item, 1, 60000);
    return wire_receive(socket, from, &arena, out, &err);
}

static struct message make_cancel(int64_t id)
{
    struct message message = {.kind = MESSAGE_CANCEL};

    message.as.cancel.id = id;
    return message;
}

static void talk_both_ways(struct wire_socket *router,
                           struct wire_socket *dealer)
{
    struct message sent = make_cancel(4);
    struct message got;
    struct wire_id from;

    send_soon(dealer, NULL, &sent);
    cr_assert_eq(receive_soon(router, &from, &got), WIRE_MESSAGE, "%s",
                 err.text);
    cr_expect_eq(from.len, 2);
    cr_expect_arr_eq(from.bytes, "w1", 2);
    cr_expect_eq(got.as.cancel.id, 4);

    sent.as.cancel.id = 5;
    cr_assert(wire_send(router, &from, &sent, &err), "%s", err.text);
    cr_assert_eq(receive_soon(dealer, NULL, &got), WIRE_MESSAGE, "%s",
                 err.text);
    cr_expect_eq(got.as.cancel.id, 5);
}

Test(socket, messages_go_both_ways_inside_a_process)
{
    struct wire_socket *router = bind_at("inproc://coordinator");
    struct wire_socket *dealer = connect_as("w1", "inproc://coordinator");

    talk_both_ways(router, dealer);
    wire_close(dealer);
    wire_close(router);
}

Test(socket, port_0_picks_a_port_and_says_which)
{
    struct wire_socket *router = bind_at("tcp://127.0.0.1:0");
    int port = 0;

    cr_assert_eq(sscanf(wire_endpoint(router), "tcp://127.0.0.1:%d", &port), 1);
    cr_expect_gt(port, 0);
    struct wire_socket *dealer = connect_as("w1", wire_endpoint(router));
    talk_both_ways(router, dealer);
    wire_close(dealer);
    wire_close(router);
}

Test(socket, port_in_use_is_reported)
{
    struct wire_socket *first = bind_at("tcp://127.0.0.1:0");

    cr_expect_null(wire_bind(context, wire_endpoint(first), NULL, &err));
    cr_expect_eq(err.code, ERR_BUSY);
    cr_expect_not_null(strstr(err.text, wire_endpoint(first)), "%s", err.text);
    wire_close(first);
}

Test(socket, a_malformed_endpoint_is_bad_input)
{
    static const char *const bad[] = {"here", "tcp://127.0.0.1", "http://x:1",
                                      "tcp://192.0.2.1:5570"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_null(wire_bind(context, bad[i], NULL, &err), "%s", bad[i]);
        cr_expect_eq(err.code, ERR_INPUT, "%s: %s", bad[i], err.text);
    }
}

Test(socket, sending_to_a_gone_peer_is_an_error)
{
    struct wire_socket *router = bind_at("tcp://127.0.0.1:0");
    struct wire_id nobody = {.len = 3, .bytes = {'w', '9', '9'}};
    struct message message = make_cancel(1);

    cr_expect_not(wire_send(router, &nobody, &message, &err));
    cr_expect_eq(err.code, ERR_IO);
    wire_close(router);
}

Test(socket, without_a_coordinator_nothing_is_queued)
{
    struct wire_socket *dealer = connect_as("w1", "tcp://127.0.0.1:9");
    struct message message = make_cancel(1);

    cr_expect_not(wire_send(dealer, NULL, &message, &err));
    cr_expect_eq(err.code, ERR_BUSY);
    wire_close(dealer);
}

// Opens a plain ZeroMQ peer, which can send anything.
static void *open_stranger(const char *endpoint, int linger_ms)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);

    zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    cr_assert_eq(zmq_connect(socket, endpoint), 0);
    return socket;
}

Test(socket, nonsense_is_recognized_and_the_next_message_is_read)
{
    struct wire_socket *router = bind_at("tcp://127.0.0.1:0");
    void *stranger = open_stranger(wire_endpoint(router), 0);
    struct message got;
    struct wire_id from;

    zmq_send(stranger, "nonsense", 8, 0);
    zmq_send(stranger, "two", 3, ZMQ_SNDMORE);
    zmq_send(stranger, "frames", 6, 0);
    // {"kind": HEARTBEAT}
    zmq_send(stranger, "\x81\xa4kind\x03", 7, 0);
    cr_expect_eq(receive_soon(router, &from, &got), WIRE_BAD);
    cr_expect_gt(from.len, 0);
    cr_expect_eq(receive_soon(router, &from, &got), WIRE_BAD);
    cr_expect_eq(receive_soon(router, &from, &got), WIRE_MESSAGE, "%s",
                 err.text);
    cr_expect_eq(got.kind, MESSAGE_HEARTBEAT);
    zmq_close(stranger);
    wire_close(router);
}

// libzmq cuts the connection when it reads the length. Nothing arrives, and the
// socket still serves others.
Test(socket, an_oversized_frame_costs_its_sender_the_connection)
{
    struct wire_socket *router = bind_at("tcp://127.0.0.1:0");
    void *stranger = open_stranger(wire_endpoint(router), 0);
    size_t len = (size_t)WIRE_FRAME_BYTES + 1;
    zmq_msg_t big;
    struct message got;
    struct wire_id from;

    cr_assert_eq(zmq_msg_init_size(&big, len), 0);
    memset(zmq_msg_data(&big), 0, len);
    cr_assert_geq(zmq_msg_send(&big, stranger, 0), 0);
    zmq_poll(NULL, 0, 300);
    cr_expect_eq(wire_receive(router, &from, &arena, &got, &err), WIRE_NOTHING);
    struct wire_socket *dealer = connect_as("w1", wire_endpoint(router));
    talk_both_ways(router, dealer);
    wire_close(dealer);
    zmq_close(stranger);
    wire_close(router);
}

Test(socket, a_long_message_travels_in_parts)
{
    struct wire_socket *router = bind_at("tcp://127.0.0.1:0");
    struct wire_socket *dealer = connect_as("w1", wire_endpoint(router));
    struct assemblies all = {0};
    struct assembly *assembly = assembly_new(&all, NULL);
    struct buf whole = BUF_INIT(0);
    static char text[200001];
    struct message sent = {
        .kind = MESSAGE_ANSWER,
        .as.answer = {
            .id = 7,
            .answer = {.text = text, .text_len = 200000, .cached_tokens = -1}}};
    struct message got;
    struct wire_id from;
    int parts = 0;

    memset(text, 'a', 200000);
    send_soon(dealer, NULL, &sent);
    while (!assembly_take(assembly, &whole)) {
        cr_assert_eq(receive_soon(router, &from, &got), WIRE_MESSAGE, "%s",
                     err.text);
        cr_assert_eq(got.kind, MESSAGE_PART);
        cr_assert(assembly_add(assembly, &got.as.part, 0, &err), "%s",
                  err.text);
        arena_release(&arena);
        parts++;
    }

    cr_expect_eq(parts, 4);
    cr_assert(message_decode(whole.data, whole.len, &arena, &got, &err), "%s",
              err.text);
    cr_expect_eq(got.as.answer.answer.text_len, 200000);
    buf_release(&whole);
    assembly_free(assembly);
    wire_close(dealer);
    wire_close(router);
}

Test(socket, a_new_peer_of_the_same_identity_takes_over)
{
    struct wire_socket *router = bind_at("tcp://127.0.0.1:0");
    struct wire_socket *first = connect_as("w1", wire_endpoint(router));

    talk_both_ways(router, first);
    struct wire_socket *second = connect_as("w1", wire_endpoint(router));
    talk_both_ways(router, second);
    wire_close(second);
    wire_close(first);
    wire_close(router);
}

Test(socket, last_message_arrives_even_if_the_socket_is_closed_at_once)
{
    struct wire_socket *router = bind_at("tcp://127.0.0.1:0");
    struct wire_socket *dealer = connect_as("w1", wire_endpoint(router));
    struct message message = make_cancel(0);
    struct message got;
    struct wire_id from;

    send_soon(dealer, NULL, &message);
    for (int64_t i = 1; i < 100; i++) {
        message.as.cancel.id = i;
        cr_assert(wire_send(dealer, NULL, &message, &err), "%s", err.text);
    }
    wire_close(dealer);
    for (int64_t i = 0; i < 100; i++) {
        cr_assert_eq(receive_soon(router, &from, &got), WIRE_MESSAGE);
        cr_assert_eq(got.as.cancel.id, i);
    }
    wire_close(router);
}

// A closed socket keeps its name for a while; the next one gets another name.
Test(socket, in_process_name_can_be_bound_only_once)
{
    char names[2][INPROC_NAME_BYTES];
    void *sockets[2];

    for (int i = 0; i < 2; i++) {
        inproc_name(names[i], "pair");
        sockets[i] = zmq_socket(context, ZMQ_PAIR);
        cr_assert_eq(zmq_bind(sockets[i], names[i]), 0);
    }
    cr_expect_str_neq(names[0], names[1]);
    cr_expect_eq(strncmp(names[0], "inproc://pair-", 14), 0);
    for (int i = 0; i < 2; i++)
        zmq_close(sockets[i]);
}
