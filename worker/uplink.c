#include "worker/uplink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "wire/endpoint.h"
#include "wire/outbox.h"
#include "wire/refusal.h"

enum {
    RETRY_MS = 100, // back-off between greetings, doubled up to
    RETRY_MAX_MS = 1000,
    // A greeting's patience, doubled after each greeting in vain, up to the
    // second value. When thousands of workers greet at once, each has to wait
    // for its turn, and one that gives up and comes again makes the wait longer
    // for all.
    GREETING_MS = WIRE_HEARTBEAT_MS * WIRE_LIVENESS,
    GREETING_MAX_MS = 8000,
};

struct uplink {
    void *context; // borrowed
    char endpoint[ENDPOINT_BYTES];
    const char *name; // borrowed
    struct key key;   // wiped at the end; KEY_NONE in the clear

    struct wire_socket *socket; // owned; NULL while closed
    struct outbox outbox;       // what is said in a turn, once welcome
    bool batches;               // the coordinator reads several per frame

    int64_t instance;  // of this worker, the same in all its greetings
    int64_t epoch;     // of the greeting
    int64_t greetings; // how many there were
    bool greeted;      // over this connection

    int64_t retry_ms;    // the next back-off
    int64_t patience_ms; // the next greeting's
    int64_t due_ms;      // closed: next attempt; greeting: end of its patience
    bool logged;         // the log has its one line, until we are welcome
    bool asked_why;      // asked why nobody welcomes us, until somebody does
};

static int64_t random_number(void)
{
    uint64_t number = 0;

    randombytes_buf(&number, sizeof number);
    return (int64_t)(number >> 1);
}

struct uplink *uplink_new(void *context, const char *endpoint, const char *name,
                          const struct key *key, struct err *err)
{
    struct uplink *uplink;

    if (strlen(endpoint) >= ENDPOINT_BYTES) {
        err_set(err, ERR_INPUT,
                "the coordinator's address is too long (over %d bytes)",
                ENDPOINT_BYTES - 1);
        return NULL;
    }
    uplink = calloc(1, sizeof *uplink);
    if (uplink == NULL) {
        err_nomem(err, "a worker");
        return NULL;
    }
    uplink->context = context;
    memcpy(uplink->endpoint, endpoint, strlen(endpoint) + 1);
    uplink->name = name;
    if (key != NULL)
        uplink->key = *key;
    uplink->outbox = OUTBOX_INIT;
    uplink->instance = random_number();
    uplink->retry_ms = RETRY_MS;
    uplink->patience_ms = GREETING_MS;
    return uplink;
}

void uplink_free(struct uplink *uplink)
{
    if (uplink == NULL)
        return;
    wire_close(uplink->socket);
    outbox_release(&uplink->outbox);
    key_wipe(&uplink->key);
    free(uplink);
}

const char *uplink_endpoint(const struct uplink *uplink)
{
    return uplink->endpoint;
}

// --- closed ---

bool uplink_is_due(const struct uplink *uplink, int64_t now_ms)
{
    return now_ms >= uplink->due_ms;
}

int64_t uplink_due_ms(const struct uplink *uplink)
{
    return uplink->due_ms;
}

void uplink_delay(struct uplink *uplink, int64_t until_ms)
{
    uplink->due_ms = until_ms;
}

bool uplink_is_open(const struct uplink *uplink)
{
    return uplink->socket != NULL;
}

// Makes an identity that is long enough that nobody can guess it and take it
// over.
static void make_identity(const struct uplink *uplink, struct wire_id *out)
{
    char text[WIRE_ID_MAX + 1];
    int len =
        snprintf(text, sizeof text, "%.40s-%08" PRIx32 "%08" PRIx32,
                 uplink->name, randombytes_random(), randombytes_random());

    out->len = (uint8_t)len;
    memcpy(out->bytes, text, out->len);
}

bool uplink_open(struct uplink *uplink, int64_t now_ms)
{
    struct wire_id id = {0};
    struct err err = ERR_CLEAR;

    make_identity(uplink, &id);
    uplink->socket = wire_connect(uplink->context, uplink->endpoint,
                                  &uplink->key, &id, &err);
    if (uplink->socket == NULL) {
        if (!uplink->logged)
            log_warn("no-socket", "worker %s: %s", uplink->name, err.text);
        uplink->logged = true;
        return false;
    }
    uplink->due_ms = now_ms + uplink->patience_ms;
    uplink->patience_ms *= 2;
    if (uplink->patience_ms > GREETING_MAX_MS)
        uplink->patience_ms = GREETING_MAX_MS;
    return true;
}

// --- greeting ---

bool uplink_say_hello(struct uplink *uplink, struct hello *hello)
{
    struct message message = {.kind = MESSAGE_HELLO};
    struct err err = ERR_CLEAR;

    hello->epoch = uplink->epoch;
    hello->instance = uplink->instance;
    hello->greeting = uplink->greetings;
    message.as.hello = *hello;
    if (wire_send(uplink->socket, NULL, &message, &err))
        return true;
    log_debug("hello-failed", "worker %s: %s", uplink->name, err.text);
    return false;
}

void uplink_greet(struct uplink *uplink, struct hello *hello)
{
    if (uplink->greeted)
        return;
    uplink->epoch = random_number();
    uplink->greetings++;
    uplink->greeted = uplink_say_hello(uplink, hello);
}

bool uplink_has_greeted(const struct uplink *uplink)
{
    return uplink->greeted;
}

bool uplink_is_unanswered(const struct uplink *uplink, int64_t now_ms)
{
    return now_ms >= uplink->due_ms;
}

// Not called when a coordinator that had welcomed us is gone: thousands of
// workers would knock twice at its successor.
static bool log_if_keys_are_why(struct uplink *uplink)
{
    struct err err = ERR_CLEAR;

    if (uplink->asked_why)
        return false;
    uplink->asked_why = true;
    if (!refusal_explain(uplink->context, uplink->endpoint, &uplink->key, &err))
        return false;
    log_warn("coordinator-closed", "worker %s: %s; it keeps trying",
             uplink->name, err.text);
    uplink->logged = true;
    return true;
}

static void log_lost(struct uplink *uplink, const char *reason)
{
    if (!uplink->logged)
        log_warn("coordinator-lost",
                 "worker %s does not hear the coordinator at %s%s; it keeps "
                 "trying",
                 uplink->name, uplink->endpoint, reason);
    uplink->logged = true;
}

void uplink_log_unanswered(struct uplink *uplink)
{
    char reason[ENDPOINT_REASON_BYTES] = "";

    if (log_if_keys_are_why(uplink) || uplink->logged)
        return;
    endpoint_explain(uplink->endpoint, reason);
    log_lost(uplink, reason);
}

void uplink_log_refused(struct uplink *uplink, const struct refused *refused)
{
    // A restarted coordinator; it is greeted again without ado.
    if (strcmp(refused->code, "hello") == 0 || uplink->logged)
        return;
    log_warn("worker-refused", "worker %s: %s", uplink->name, refused->text);
    uplink->logged = true;
}

// --- welcome ---

void uplink_welcomed(struct uplink *uplink, const struct welcome *welcome)
{
    uplink->batches = welcome->several != 0;
    uplink->retry_ms = RETRY_MS;
    uplink->patience_ms = GREETING_MS;
    uplink->logged = false;
    uplink->asked_why = false;
}

void uplink_log_lost(struct uplink *uplink)
{
    log_lost(uplink, "");
}

static bool fail_to_send(struct uplink *uplink, const struct err *why)
{
    log_debug("send-failed", "worker %s: %s", uplink->name, why->text);
    outbox_release(&uplink->outbox);
    return false;
}

bool uplink_send(struct uplink *uplink, const struct message *message)
{
    struct err err = ERR_CLEAR;
    bool ok = uplink->batches ? outbox_put(&uplink->outbox, uplink->socket,
                                           NULL, message, &err)
                              : wire_send(uplink->socket, NULL, message, &err);

    return ok || fail_to_send(uplink, &err);
}

bool uplink_flush(struct uplink *uplink)
{
    struct err err = ERR_CLEAR;

    return uplink->socket == NULL ||
           outbox_flush(&uplink->outbox, uplink->socket, NULL, &err) ||
           fail_to_send(uplink, &err);
}

bool uplink_is_up(struct uplink *uplink)
{
    bool stands = wire_writable(uplink->socket);

    if (!stands)
        uplink->greeted = false;
    return stands;
}

enum wire_got uplink_receive(struct uplink *uplink, struct arena *arena,
                             struct message *out, struct err *err)
{
    return wire_receive(uplink->socket, NULL, arena, out, err);
}

int uplink_fd(const struct uplink *uplink)
{
    return uplink->socket == NULL ? -1 : wire_fd(uplink->socket);
}

bool uplink_pending(const struct uplink *uplink)
{
    return uplink->socket != NULL && wire_pending(uplink->socket);
}

void uplink_close(struct uplink *uplink, int64_t now_ms)
{
    if (uplink->socket != NULL)
        (void)outbox_flush(&uplink->outbox, uplink->socket, NULL, NULL);
    wire_close(uplink->socket);
    uplink->socket = NULL;
    uplink->batches = false;
    uplink->greeted = false;
    uplink->due_ms = now_ms + uplink->retry_ms +
                     (int64_t)randombytes_uniform((uint32_t)uplink->retry_ms);
    uplink->retry_ms *= 2;
    if (uplink->retry_ms > RETRY_MAX_MS)
        uplink->retry_ms = RETRY_MAX_MS;
}
