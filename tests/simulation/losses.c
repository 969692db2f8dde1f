// One message is lost, the first of its kind, and nothing else reports the
// loss. How soon is it sent again?
#include "simulation/troubles.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "simulation/machine.h"
#include "simulation/network.h"
#include "simulation/scene.h"
#include "simulation/world.h"
#include "wire/lease.h"
#include "wire/message.h"

enum {
    REPEATED_MS = 6000, // from the loss until the message is sent again
    // From the call that arrives without the lost prefix until it is sent with
    // it.
    OVERTAKEN_MS = 500,
    CALLS_KEPT = 4096,
};

static const struct loss {
    const char *name;
    enum message_kind kind;
    bool proof;     // the message belongs to a worker's proof when it joins
    bool overtakes; // measure the call that follows the lost one
} losses[] = {
    {.name = "HELLO", .kind = MESSAGE_HELLO},
    {.name = "WELCOME", .kind = MESSAGE_WELCOME},
    {.name = "CALL", .kind = MESSAGE_CALL},
    {.name = "ANSWER", .kind = MESSAGE_ANSWER},
    {.name = "a proof", .kind = MESSAGE_CALL, .proof = true},
    {.name = "its answer", .kind = MESSAGE_ANSWER, .proof = true},
    {.name = "SUBMIT", .kind = MESSAGE_SUBMIT},
    {.name = "RESULT", .kind = MESSAGE_RESULT},
    {.name = "a prefix", .kind = MESSAGE_CALL, .overtakes = true},
};

static struct {
    const struct loss *loss;
    int64_t lost_us, repeated_us; // when; 0: not yet
    int64_t id;                   // of a CALL or an ANSWER
    char name[64];                // of a HELLO or a WELCOME
} lost;

static int64_t id_of(const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_CALL:
        return message->as.call.id;
    case MESSAGE_ANSWER:
        return message->as.answer.id;
    default:
        return 0;
    }
}

static const char *name_of(const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_HELLO:
        return message->as.hello.name;
    case MESSAGE_WELCOME:
        return message->as.welcome.name;
    default:
        return "";
    }
}

// Loses the first call that brings a prefix. The worker cannot take a later
// call that only names this prefix, and says so. What counts is how soon that
// call is sent with its prefix, measured from when it was first sent.
static bool is_lost_prefix(const struct message *message)
{
    static int64_t sent_us[CALLS_KEPT];
    const struct call_message *call = &message->as.call;

    if (message->kind == MESSAGE_HEARTBEAT && lost.id == 0 &&
        message->as.heartbeat.lacks_len > 0) {
        lost.id = lease_read(message->as.heartbeat.lacks);
        lost.lost_us = sent_us[lost.id % CALLS_KEPT];
    }
    if (message->kind != MESSAGE_CALL || call->prefix_name_len == 0)
        return false;
    if (lost.id == 0)
        sent_us[call->id % CALLS_KEPT] = machine_now_us();
    else if (call->id == lost.id && lost.repeated_us == 0)
        lost.repeated_us = machine_now_us();
    if (call->request.prefix_len == 0 || lost.name[0] != '\0')
        return false;
    (void)snprintf(lost.name, sizeof lost.name, "%s", "lost");
    return true;
}

static bool is_lost(const struct message *message)
{
    const struct loss *loss = lost.loss;
    // A lost ANSWER shows when its call is sent again.
    enum message_kind again =
        loss->kind == MESSAGE_ANSWER ? MESSAGE_CALL : loss->kind;

    if (loss->overtakes)
        return is_lost_prefix(message);
    if ((id_of(message) >= WIRE_PROOF_ID) != loss->proof)
        return false;
    if (lost.lost_us == 0 && message->kind == loss->kind) {
        lost.lost_us = machine_now_us();
        lost.id = id_of(message);
        (void)snprintf(lost.name, sizeof lost.name, "%s", name_of(message));
        return true;
    }
    if (lost.lost_us != 0 && lost.repeated_us == 0 && message->kind == again &&
        id_of(message) == lost.id && strcmp(name_of(message), lost.name) == 0)
        lost.repeated_us = machine_now_us();
    return false;
}

static void configure(struct coordinator_options *options)
{
    options->proofs = true;
}

static void begin(void)
{
    lost.lost_us = lost.repeated_us = lost.id = 0;
    lost.name[0] = '\0';
    network_on_loss(is_lost);
}

static const struct trouble trouble = {.configure = configure, .begin = begin};

static bool lose(const struct loss *loss, uint64_t seed)
{
    bool same;

    lost.loss = loss;
    same = world_run(&trouble, seed, (int)((seed - 1) % SCENE_VARIANTS), 4);
    if (same && lost.repeated_us != 0 &&
        lost.repeated_us - lost.lost_us <=
            (loss->overtakes ? OVERTAKEN_MS : REPEATED_MS) * 1000)
        return true;
    (void)fprintf(stderr,
                  "%s was lost at %" PRId64 " ms, and sent again at %" PRId64
                  ": %s\n",
                  loss->name, lost.lost_us / 1000, lost.repeated_us / 1000,
                  same ? "too late" : world.wrong);
    return false;
}

bool losses_run(void)
{
    int64_t longest_us = 0;

    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        if (!lose(&losses[i], i + 1))
            return false;
        if (lost.repeated_us - lost.lost_us > longest_us)
            longest_us = lost.repeated_us - lost.lost_us;
    }
    printf("what was lost is sent again after %" PRId64 " ms\n",
           longest_us / 1000);
    return true;
}
