#include "wire/mailbox.h"

#include <criterion/criterion.h>
#include <string.h>

#include <zmq.h>

static struct err err;
static struct arena arena;
static void *context;
static struct wire_socket *router;
static struct wire_socket *dealer;
static struct mailboxes all;
static struct wire_id id;
static const char text[] = "[{\"role\":\"system\"}";
static const struct hash name = {.bytes = "0123456789abcde"};

static void set_up(void)
{
    struct message hello = {.kind = MESSAGE_CANCEL};
    struct message got;

    err = ERR_CLEAR;
    arena = ARENA_INIT((size_t)4 << 20);
    context = zmq_ctx_new();
    id = (struct wire_id){.len = 2, .bytes = "w1"};
    router = wire_bind(context, "inproc://mailbox", NULL, &err);
    cr_assert_not_null(router, "%s", err.text);
    dealer = wire_connect(context, "inproc://mailbox", NULL, &id, &err);
    cr_assert_not_null(dealer, "%s", err.text);
    // A ROUTER can only write to a peer that has said something.
    cr_assert(wire_send(dealer, NULL, &hello, &err), "%s", err.text);
    cr_assert_eq(wire_receive(router, &id, &arena, &got, &err), WIRE_MESSAGE);
    all = (struct mailboxes){.socket = router};
}

static void tear_down(void)
{
    wire_close(dealer);
    wire_close(router);
    arena_release(&arena);
    zmq_ctx_term(context);
}

TestSuite(mailbox, .init = set_up, .fini = tear_down, .timeout = 300);

static struct mailbox *mailbox_with(int64_t several, int64_t prefixes)
{
    const struct hello hello = {.several = several, .prefixes = prefixes};
    struct mailbox *mailbox = mailbox_new(&all, &id, &hello, &id);

    cr_assert_not_null(mailbox);
    return mailbox;
}

static void put_cancel(struct mailbox *mailbox, int64_t lease)
{
    struct message message = {.kind = MESSAGE_CANCEL, .as.cancel.id = lease};

    cr_assert(mailbox_put(mailbox, &message, &err), "%s", err.text);
}

static void put_call(struct mailbox *mailbox, int64_t lease)
{
    struct call_message call = {
        .id = lease,
        .timeout_ms = 1000,
        .digest = "",
        .key = "0123456789abcdef",
        .key_len = 16,
        .request = {.model = "m",
                    .prefix = text,
                    .prefix_len = strlen(text),
                    .tail = "]",
                    .tail_len = 1,
                    .options = {.num_ctx = 2048, .num_predict = 1}}};

    cr_assert(mailbox_put_call(mailbox, &call, &name, &err), "%s", err.text);
}

static enum wire_got receive(struct message *got)
{
    return wire_receive(dealer, NULL, &arena, got, &err);
}

static void expect_cancel(int64_t lease)
{
    struct message got;

    cr_assert_eq(receive(&got), WIRE_MESSAGE, "%s", err.text);
    cr_assert_eq(got.kind, MESSAGE_CANCEL);
    cr_expect_eq(got.as.cancel.id, lease);
}

static void expect_prefix(const char *prefix, size_t name_len)
{
    struct message got;

    cr_assert_eq(receive(&got), WIRE_MESSAGE, "%s", err.text);
    cr_assert_eq(got.kind, MESSAGE_CALL);
    cr_expect_str_eq(got.as.call.request.prefix, prefix);
    cr_expect_eq(got.as.call.prefix_name_len, name_len);
}

Test(mailbox, queued_messages_are_sent_when_all_mailboxes_are_flushed)
{
    struct mailbox *mailbox = mailbox_with(1, 0);
    struct message got;

    put_cancel(mailbox, 1);
    put_cancel(mailbox, 2);
    cr_expect_eq(receive(&got), WIRE_NOTHING);
    cr_expect_null(mailboxes_flush(&all, &err), "%s", err.text);
    expect_cancel(1);
    expect_cancel(2);
    mailbox_free(mailbox);
}

Test(mailbox, peer_that_reads_one_message_per_frame_gets_each_at_once)
{
    struct mailbox *mailbox = mailbox_with(0, 0);

    put_cancel(mailbox, 1);
    expect_cancel(1);
    cr_expect_null(all.waiting);
    mailbox_free(mailbox);
}

Test(mailbox, prefix_is_sent_once)
{
    struct mailbox *mailbox = mailbox_with(0, 4);

    put_call(mailbox, 1);
    expect_prefix(text, HASH_BYTES);
    put_call(mailbox, 2);
    expect_prefix("", HASH_BYTES);
    mailbox_forget_prefixes(mailbox);
    put_call(mailbox, 3);
    expect_prefix(text, HASH_BYTES);
    mailbox_free(mailbox);
}

Test(mailbox, peer_without_prefix_cache_gets_each_call_in_full)
{
    struct mailbox *mailbox = mailbox_with(0, 0);

    for (int64_t lease = 1; lease <= 2; lease++) {
        put_call(mailbox, lease);
        expect_prefix(text, 0);
    }
    mailbox_free(mailbox);
}

Test(mailbox, owner_is_notified_when_its_peer_is_gone)
{
    struct mailbox *mailbox, *gone;
    const struct wire_id nobody = {.len = 2, .bytes = "w2"};
    const struct hello hello = {.several = 1};
    int owner;

    gone = mailbox_new(&all, &nobody, &hello, &owner);
    mailbox = mailbox_with(1, 0);
    put_cancel(mailbox, 1);
    put_cancel(gone, 2);
    cr_expect_eq(mailboxes_flush(&all, &err), &owner);
    mailbox_free(gone);
    cr_expect_null(mailboxes_flush(&all, &err));
    expect_cancel(1);
    mailbox_free(mailbox);
}

Test(mailbox, freed_mailbox_is_not_flushed)
{
    struct mailbox *mailbox = mailbox_with(1, 0);

    put_cancel(mailbox, 1);
    mailbox_free(mailbox);
    cr_expect_null(all.waiting);
    cr_expect_null(mailboxes_flush(&all, &err));
}
