#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "wire/outbox.h"

static struct err err;
static struct arena arena;
static void *context;
static struct wire_socket *router;
static struct wire_socket *dealer;
static struct outbox outbox;
static struct wire_id peer;

static void expect_cancel(struct wire_socket *socket, int64_t id)
{
    zmq_pollitem_t item = {.socket = wire_handle(socket), .events = ZMQ_POLLIN};
    struct message got;

    if (!wire_pending(socket))
        zmq_poll(&item, 1, 60000);
    cr_assert_eq(wire_receive(socket, socket == router ? &peer : NULL, &arena,
                              &got, &err),
                 WIRE_MESSAGE, "%s", err.text);
    cr_assert_eq(got.kind, MESSAGE_CANCEL);
    cr_expect_eq(got.as.cancel.id, id);
}

static void put_cancel(int64_t id)
{
    struct message message = {.kind = MESSAGE_CANCEL, .as.cancel.id = id};

    cr_assert(outbox_put(&outbox, dealer, NULL, &message, &err), "%s",
              err.text);
}

static bool is_empty(void)
{
    return outbox.bytes.len == 0;
}

static void set_up(void)
{
    struct wire_id id = {.len = 2, .bytes = "w1"};

    err = ERR_CLEAR;
    arena = ARENA_INIT((size_t)4 << 20);
    context = zmq_ctx_new();
    outbox = OUTBOX_INIT;
    router = wire_bind(context, "inproc://outbox", NULL, &err);
    cr_assert_not_null(router, "%s", err.text);
    dealer = wire_connect(context, "inproc://outbox", NULL, &id, &err);
    cr_assert_not_null(dealer, "%s", err.text);
}

static void tear_down(void)
{
    outbox_release(&outbox);
    wire_close(dealer);
    wire_close(router);
    arena_release(&arena);
    zmq_ctx_term(context);
}

TestSuite(outbox, .init = set_up, .fini = tear_down, .timeout = 300);

Test(outbox, nothing_leaves_before_it_is_flushed)
{
    struct message got;

    put_cancel(1);
    cr_expect_not(is_empty());
    cr_expect_eq(wire_receive(router, &peer, &arena, &got, &err), WIRE_NOTHING);
    cr_assert(outbox_flush(&outbox, dealer, NULL, &err), "%s", err.text);
    cr_expect(is_empty());
    expect_cancel(router, 1);
}

Test(outbox, messages_of_one_frame_come_one_by_one_in_order)
{
    struct wire_frame frame;
    size_t n = 0;

    for (int64_t id = 1; id <= 3; id++)
        put_cancel(id);
    cr_assert(outbox_flush(&outbox, dealer, NULL, &err), "%s", err.text);
    for (int64_t id = 1; id <= 3; id++) {
        expect_cancel(router, id);
        cr_expect_eq(wire_pending(router), id < 3);
    }
    // The other order, and as one frame.
    for (int64_t id = 1; id <= 3; id++)
        cr_assert(outbox_put(
            &outbox, router, &peer,
            &(struct message){.kind = MESSAGE_CANCEL, .as.cancel.id = id},
            &err));
    cr_assert(outbox_flush(&outbox, router, &peer, &err), "%s", err.text);
    cr_assert_eq(wire_take(dealer, NULL, &frame, &err), WIRE_MESSAGE);
    for (struct message got; frame.len > 0; n++)
        cr_assert(message_take(&frame, &arena, &got, &err), "%s", err.text);
    cr_expect_eq(n, 3);
}

Test(outbox, full_frame_is_sent_without_a_flush)
{
    int64_t id = 0;

    do
        put_cancel(++id);
    while (!is_empty());
    cr_expect_gt(id, OUTBOX_BYTES / 20);
    for (int64_t next = 1; next <= id; next++)
        expect_cancel(router, next);
}

Test(outbox, a_long_message_is_alone_in_its_frame_and_overtakes_nothing)
{
    char *text = calloc(1, OUTBOX_BYTES + 1);
    struct message reply = {.kind = MESSAGE_REPLY, .as.reply.document = text};
    struct message got;
    struct wire_frame frame;

    memset(text, 'x', OUTBOX_BYTES);
    put_cancel(1);
    cr_assert(outbox_put(&outbox, dealer, NULL, &reply, &err), "%s", err.text);
    cr_expect(is_empty());
    expect_cancel(router, 1);
    cr_assert_eq(wire_take(router, &peer, &frame, &err), WIRE_MESSAGE);
    cr_assert(message_take(&frame, &arena, &got, &err), "%s", err.text);
    cr_expect_eq(got.kind, MESSAGE_REPLY);
    cr_expect_eq(frame.len, 0);
    free(text);
}

Test(outbox, undeliverable_message_does_not_affect_the_others)
{
    struct message bad = {.kind = MESSAGE_CANCEL, .as.cancel.id = -1};

    put_cancel(1);
    cr_expect_not(outbox_put(&outbox, dealer, NULL, &bad, &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    cr_assert(outbox_flush(&outbox, dealer, NULL, &err));
    expect_cancel(router, 1);
}

Test(outbox, is_empty_when_the_peer_is_gone)
{
    struct wire_id nobody = {.len = 2, .bytes = "xx"};
    struct message message = {.kind = MESSAGE_CANCEL, .as.cancel.id = 1};

    cr_assert(outbox_put(&outbox, router, &nobody, &message, &err));
    cr_expect_not(outbox_flush(&outbox, router, &nobody, &err));
    cr_expect_eq(err.code, ERR_IO);
    cr_expect(is_empty());
}

Test(outbox, rest_of_a_frame_after_nonsense_is_not_read)
{
    static const char bytes[] = "\x82\xa4kind\x05\xa2id\x07"
                                "\xc1"
                                "\x82\xa4kind\x05\xa2id\x08";
    struct wire_frame frame = {.data = bytes, .len = sizeof bytes - 1};
    struct message got;

    cr_assert(wire_send_encoded(dealer, NULL, &frame, &err));
    expect_cancel(router, 7);
    cr_expect_eq(wire_receive(router, &peer, &arena, &got, &err), WIRE_BAD);
    cr_expect_eq(wire_receive(router, &peer, &arena, &got, &err), WIRE_NOTHING);
}
