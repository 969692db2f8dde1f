#include "client/client_connection.h"

#include <stdio.h>
#include <unistd.h>

#include <sodium.h>

#include "common/text.h"
#include "wire/endpoint.h"
#include "wire/refusal.h"

enum {
    HELLO_MS = 500, // between greetings
    SILENCE_MS = WIRE_HEARTBEAT_MS * WIRE_LIVENESS,
    ID_BYTES = 16,
};

bool client_connect(struct client *client, struct err *err)
{
    struct wire_id id = {.len = ID_BYTES};

    randombytes_buf(id.bytes, ID_BYTES);
    id.bytes[0] = 'c'; // ZeroMQ's own identities begin with 0
    client->epoch = (int64_t)randombytes_random();
    client->socket =
        wire_connect(client->zmq, client->endpoint, &client->key, &id, err);
    return client->socket != NULL;
}

static bool send_hello(struct client *client)
{
    char name[64];
    struct message hello = {
        .kind = MESSAGE_HELLO,
        .as.hello = {.version = WIRE_VERSION,
                     .role = PEER_CLIENT,
                     .name = name,
                     .epoch = client->epoch,
                     .software = "promptcc " PROMPTCC_VERSION}};

    (void)snprintf(name, sizeof name, "client-%ld", (long)getpid());
    return wire_send(client->socket, NULL, &hello, NULL);
}

bool client_reconnect(struct client *client, struct err *err)
{
    client->welcomed = client->connected = false;
    submission_was_lost(&client->job);
    client->hello_ms = 0;
    client->unanswered = 0;
    wire_close(client->socket);
    client->socket = NULL;
    return client_connect(client, err);
}

bool client_lose_coordinator(struct client *client, struct err *err)
{
    char text[300];

    if (client->welcomed && !client->loss_reported) {
        (void)text_print(text, sizeof text,
                         "the coordinator at %.200s is gone; waiting for it",
                         client->endpoint);
        submission_say(&client->job, text);
        client->loss_reported = true;
        client->gone_ms = client->heard_ms;
    }
    return client_reconnect(client, err);
}

void client_greet(struct client *client, int64_t now)
{
    if (client->welcomed || now - client->hello_ms < HELLO_MS)
        return;
    client->connected = send_hello(client);
    client->hello_ms = client->connected ? now : now - HELLO_MS + TICK_MS;
}

void client_beat(struct client *client, int64_t now)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT,
                              .as.heartbeat = {.waits = client->job.sent}};

    if (!client->welcomed || now - client->beat_ms < WIRE_HEARTBEAT_MS)
        return;
    client->beat_ms = now;
    (void)wire_send(client->socket, NULL, &message, NULL);
}

void client_take_welcome(struct client *client)
{
    if (client->loss_reported)
        submission_say(&client->job, "the coordinator is back");
    client->welcomed = client->was_welcomed = true;
    client->loss_reported = false;
}

static void explain_no_answer(const struct client *client, struct err *err)
{
    char reason[ENDPOINT_REASON_BYTES] = "";

    if (client->remote)
        endpoint_explain(client->endpoint, reason);
    err_set(err, ERR_IO,
            "no coordinator answers at %.70s%s: start one with `promptcc "
            "coordinator --listen ...`, or check --coordinator",
            client->endpoint, reason);
}

// A coordinator in this process cannot go away, but it may be busy for long. A
// REPLY comes over this connection or not at all, so whoever waits for one
// stays.
static bool may_be_lost(const struct client *client)
{
    return client->remote && client->welcomed &&
           (client->job.submit != NULL || client->unanswered == 0);
}

// A coordinator that is halted for seconds, as on a busy machine, answers
// later. If all of it is halted, there is not even a connection.
static bool may_be_halted(const struct client *client)
{
    return client->remote &&
           (client->connected || endpoint_is_silent(client->endpoint));
}

bool client_check_silence(struct client *client, int64_t began, int64_t now,
                          struct err *err)
{
    if (may_be_lost(client) && now - client->heard_ms > SILENCE_MS)
        return client_lose_coordinator(client, err);
    if (client->welcomed ||
        now - (client->was_welcomed ? client->heard_ms : began) <
            client->patience_ms)
        return true;
    if (client->patience_ms < COMMAND_MS && may_be_halted(client)) {
        client->patience_ms = COMMAND_MS;
        return true;
    }
    client->heard_ms = now; // so as not to ask again in every turn
    if (client->remote &&
        refusal_explain(client->zmq, client->endpoint, &client->key, err))
        return false; // this will not change without a person
    if (client->was_welcomed)
        return true;
    explain_no_answer(client, err);
    return false;
}
