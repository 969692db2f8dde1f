#include <criterion/criterion.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "client/client.h"
#include "common/arena.h"
#include "wire/socket.h"

// --- a coordinator that answers the first question when the second comes ---

enum { TURN_MS = 5, ARENA_BYTES = 1 << 20 };

struct slow {
    struct wire_socket *socket;
    struct wire_id first; // who asked the first question
    int questions;
    atomic_bool over;
};

static void welcome(struct slow *slow, const struct wire_id *to)
{
    struct message message = {.kind = MESSAGE_WELCOME,
                              .as.welcome = {.heartbeat_ms = 1000,
                                             .name = "client"}};

    (void)wire_send(slow->socket, to, &message, NULL);
}

static void reply(struct slow *slow, const struct wire_id *to, const char *text)
{
    struct message message = {.kind = MESSAGE_REPLY,
                              .as.reply = {.document = text}};

    (void)wire_send(slow->socket, to, &message, NULL);
}

static void answer(struct slow *slow, const struct wire_id *from)
{
    if (slow->questions++ == 0) {
        slow->first = *from;
        return;
    }
    reply(slow, &slow->first, "\"to the first\"");
    reply(slow, from, "\"to the second\"");
}

static void *serve(void *user)
{
    struct slow *slow = user;
    struct arena arena = ARENA_INIT(ARENA_BYTES);

    while (!atomic_load(&slow->over)) {
        zmq_pollitem_t item = {.socket = wire_handle(slow->socket),
                               .events = ZMQ_POLLIN};
        struct wire_id from;
        struct message message;
        struct err bad = ERR_CLEAR;

        (void)zmq_poll(&item, 1, TURN_MS);
        while (wire_receive(slow->socket, &from, &arena, &message, &bad) ==
               WIRE_MESSAGE) {
            if (message.kind == MESSAGE_HELLO)
                welcome(slow, &from);
            else if (message.kind == MESSAGE_COMMAND)
                answer(slow, &from);
            arena_release(&arena);
        }
    }
    return NULL;
}

// --- tests ---

Test(client, a_reply_that_comes_too_late_is_not_that_of_the_next_question,
     .timeout = 60)
{
    void *zmq = zmq_ctx_new();
    struct slow slow = {.questions = 0};
    struct err err = ERR_CLEAR;
    pthread_t thread;
    char *document = NULL;

    slow.socket = wire_bind(zmq, "tcp://127.0.0.1:*", NULL, &err);
    cr_assert_not_null(slow.socket, "%s", err.text);
    struct client *client =
        client_open(zmq, wire_endpoint(slow.socket), NULL, 30000, &err);
    cr_assert_not_null(client, "%s", err.text);
    cr_assert_eq(pthread_create(&thread, NULL, serve, &slow), 0);

    client_set_patience(client, 100);
    cr_assert_not(client_command(client, "jobs", "", "", &document, &err));
    cr_assert_eq(err.code, ERR_IO, "%s", err.text);
    cr_assert_null(document);
    client_set_patience(client, 30000);
    err = ERR_CLEAR;
    cr_assert(client_command(client, "show", "", "", &document, &err), "%s",
              err.text);
    cr_expect_str_eq(document, "\"to the second\"");

    free(document);
    client_close(client);
    atomic_store(&slow.over, true);
    (void)pthread_join(thread, NULL);
    wire_close(slow.socket);
    zmq_ctx_term(zmq);
}
