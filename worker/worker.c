#include "worker/worker.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "model/reach.h"
#include "wire/message.h"
#include "wire/outbox.h"
#include "wire/prefixes.h"
#include "wire/socket.h"
#include "worker/held.h"
#include "worker/restart.h"
#include "worker/worker_speed.h"

// Times in milliseconds; docs/protocol.md says where each comes from.
enum {
    RETRY_MS = 100, // back-off between greetings, doubled up to
    RETRY_MAX_MS = 1000,
    // A greeting's patience, doubled with each in vain up to the other: where
    // thousands greet at once each has to wait for its turn, and whoever goes
    // and comes again makes it longer for all.
    GREETING_MS = WIRE_HEARTBEAT_MS * WIRE_LIVENESS,
    GREETING_MAX_MS = 8000,
    SEND_RETRY_MS = 50, // while the connection is not there yet
    PROBE_MS = 1500,
    LOOK_MS = 5000, // how often it looks at its server, unless told otherwise
    LACKS_LOOK_MS = 3000, // the same, while an idle one has lost a model
    LOOK_PATIENCE_MS = 1000,
    LOOK_SHARE = 50, // of its time at most a 50th is spent with looking
    BUSY_MS = 250,   // after the first 503, doubled with each
    BUSY_TRIES = 4,
    BUSY_HOLD_MS = 5000, // a call is not held for a longer wait than this
    KEPT_MS = 30000,     // from WELCOME on, until what is kept is not wanted
    PATIENCE_BEATS = 15, // silent ones, until the coordinator counts as lost,
    PATIENCE_IDLE = 3,   // or so many of a worker without calls
    REST_BEATS = 5,      // after its last call, until it beats more seldom
    GUEST_WAIT_MS = GUEST_LOOK_MS, // between two looks of one that steps back
    TICK_MS = 1000,                // the loop never sleeps longer
    NAME_BYTES = 128,
    ENDPOINT_BYTES = 256,
};
#define FRAME_ARENA_MAX ((size_t)2 * WIRE_MAX_BYTES)

enum worker_state { APART, GREETING, SERVING, DRAINING, ENDED };

struct worker {
    // Set before the thread starts.
    void *context; // borrowed
    char endpoint[ENDPOINT_BYTES];
    char name[NAME_BYTES];
    struct key key; // wiped at the end; KEY_NONE in the clear
    struct model_address address;
    struct model_client *client; // owned; only model_wake from outside
    pthread_t thread;

    atomic_bool drain;
    atomic_bool ended;
    atomic_bool served; // a WELCOME has come, ever

    // For worker_look.
    atomic_bool serving;
    atomic_bool server_fails;
    atomic_llong turned_ms;
    atomic_llong answered_ms; // -1: never

    // The thread's own.
    enum worker_state state;
    struct wire_socket *socket;    // owned; NULL while APART
    struct outbox outbox;          // what it says in a turn, once it is welcome
    bool gathers;                  // the coordinator reads several in a frame
    struct arena arena;            // of the message being read
    struct kept_prefixes prefixes; // of calls, from this coordinator
    struct buf lacks;              // leases of calls without a known prefix
    struct model_server server;    // what the last probe found; owned
    struct held_list held;
    struct worker_speed speed;
    bool said_hello;
    bool unsteady;           // the connection broke, and nothing was said since
    bool warned_server;      // one line, until it answers again
    bool warned_coordinator; // one line, until it welcomes us
    bool asked_why;          // nobody welcomes us, until somebody does
    int64_t retry_ms;        // the next back-off
    int64_t patience_ms;     // the next greeting's
    int64_t due_ms;          // APART: next attempt; GREETING: end of patience
    int64_t heartbeat_ms;
    int64_t rhythm_ms;  // the same of a worker that holds no call
    int64_t beat_ms;    // when the next heartbeat leaves
    int64_t heard_ms;   // when the coordinator was heard last
    int64_t welcome_ms; // when it took us in
    int64_t busy_ms;    // nothing is asked of the server before
    int64_t probed_ms;
    int64_t look_ms;  // between two looks at the server, at least, and also
    int64_t spare_ms; // so long after the last, which took its time
    int64_t epoch;    // of the greeting
    int64_t instance; // of this worker, in all its greetings
    int64_t greetings;
    bool lacks_model;  // the server has lost one since its last answer
    int64_t missed_ms; // when a call last took too long
    int64_t worked_ms; // when a call was last here
    int64_t idle_ms;
    const char *digest;         // borrowed; NULL: the server names them
    struct last_words *refusal; // borrowed; NULL: nobody reads it
    int64_t away_ms; // since when the server does not answer; -1: it does
    struct guest guest;
    bool told_unwanted;
    bool steps_back; // the draining is a guest's, and not the end
    struct restart restart;
};

// ---- parting

static void drop_held(struct worker *worker, struct held *held)
{
    if (held->open)
        model_cancel(worker->client, held->number);
    held_remove(&worker->held, held);
}

// Without a coordinator the leases are gone. What is open at the server or
// answered is paid for: it is kept, for the next coordinator may ask the same.
static void keep_calls(struct worker *worker)
{
    struct held *next = NULL;

    for (struct held *at = worker->held.first; at != NULL; at = next) {
        next = at->next;
        if (at->sent)
            held_set_sent(&worker->held, at, false);
        if (at->call.key_len != WIRE_KEY_BYTES || !(at->open || at->answered))
            drop_held(worker, at);
        else if (!at->kept)
            held_keep(&worker->held, at);
    }
}

static void drop_kept_calls(struct worker *worker, bool sent_too)
{
    struct held *next = NULL;

    for (struct held *at = worker->held.first; at != NULL; at = next) {
        next = at->next;
        if (at->kept && (sent_too || !at->sent))
            drop_held(worker, at);
    }
}

static void part(struct worker *worker, int64_t now_ms)
{
    keep_calls(worker);
    if (worker->socket != NULL) // last words: nobody minds if they are lost
        (void)outbox_flush(&worker->outbox, worker->socket, NULL, NULL);
    wire_close(worker->socket);
    worker->socket = NULL;
    worker->gathers = false;
    kept_prefixes_release(&worker->prefixes);
    worker->said_hello = false;
    worker->state = APART;
    worker->due_ms = now_ms + worker->retry_ms +
                     (int64_t)randombytes_uniform((uint32_t)worker->retry_ms);
    worker->retry_ms *= 2;
    if (worker->retry_ms > RETRY_MAX_MS)
        worker->retry_ms = RETRY_MAX_MS;
}

// A greeting that nobody heard: whether the reason lies in keys is worth a
// connection of its own, once. Not when a coordinator goes that had welcomed
// us: thousands of workers would knock twice at its successor.
static bool is_door_closed(struct worker *worker)
{
    struct err err = ERR_CLEAR;

    if (worker->state != GREETING || worker->asked_why)
        return false;
    worker->asked_why = true;
    if (!wire_explain(worker->context, worker->endpoint, &worker->key, &err))
        return false;
    log_warn("coordinator-closed", "worker %s: %s; it keeps trying",
             worker->name, err.text);
    return true;
}

static void lose_coordinator(struct worker *worker, int64_t now_ms)
{
    if (!is_door_closed(worker) && !worker->warned_coordinator)
        log_warn("coordinator-lost",
                 "worker %s does not hear the coordinator at %s; it keeps "
                 "trying",
                 worker->name, worker->endpoint);
    worker->warned_coordinator = true;
    part(worker, now_ms);
}

static void fail_to_send(struct worker *worker, const struct err *why)
{
    log_debug("send-failed", "worker %s: %s", worker->name, why->text);
    outbox_release(&worker->outbox);
    lose_coordinator(worker, clock_monotonic_ms());
}

// Sent by the end of the turn. False when the coordinator is lost, and the
// worker apart.
static bool send_message(struct worker *worker, const struct message *message)
{
    struct err err = ERR_CLEAR;
    bool ok = worker->gathers ? outbox_put(&worker->outbox, worker->socket,
                                           NULL, message, &err)
                              : wire_send(worker->socket, NULL, message, &err);

    if (!ok)
        fail_to_send(worker, &err);
    return ok;
}

// What was said in this turn leaves in one frame. What is in it is held like
// all that is sent: it may be lost, and then it is said again.
static void flush(struct worker *worker)
{
    struct err err = ERR_CLEAR;

    if (worker->socket != NULL &&
        !outbox_flush(&worker->outbox, worker->socket, NULL, &err))
        fail_to_send(worker, &err);
}

static bool send_fault(struct worker *worker, int64_t id, enum call_fault fault,
                       const char *text)
{
    struct message message = {.kind = MESSAGE_FAULT};

    message.as.fault.id = id;
    message.as.fault.fault = fault;
    message.as.fault.text = text;
    return send_message(worker, &message);
}

// Names all leases that are here: the coordinator sends again what is missing,
// for its CALL was lost, or the answer. More than fit are not named.
static bool send_heartbeat(struct worker *worker)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT};
    struct heartbeat *beat = &message.as.heartbeat;
    char held[WIRE_MAX_HELD * WIRE_LEASE_BYTES];

    if (worker->held.n <= WIRE_MAX_HELD) {
        beat->held = held;
        beat->held_len = held_list_leases(&worker->held, held);
    }
    beat->idle_ms = worker->rhythm_ms;
    return send_message(worker, &message);
}

static bool send_goodbye(struct worker *worker, size_t n_open)
{
    struct message message = {.kind = MESSAGE_GOODBYE};

    message.as.goodbye.open = (int64_t)n_open;
    return send_message(worker, &message);
}

// Hands back the calls that wait; with open_too all of them.
static bool hand_back(struct worker *worker, bool open_too, const char *why)
{
    struct held *next = NULL;

    for (struct held *at = worker->held.first; at != NULL; at = next) {
        next = at->next;
        if (at->kept || (at->open && !open_too))
            continue;
        int64_t id = at->call.id;
        drop_held(worker, at);
        if (!send_fault(worker, id, FAULT_LOST, why))
            return false;
    }
    return true;
}

// The model server is gone or has become another one: what is here goes back,
// and a new greeting says what is there then.
static void leave(struct worker *worker, const char *why)
{
    if (hand_back(worker, true, why) && send_goodbye(worker, 0))
        part(worker, clock_monotonic_ms());
}

// ---- greeting

static bool probe(struct worker *worker, int64_t patience_ms,
                  struct model_server *out)
{
    struct err err = ERR_CLEAR;
    bool ok = model_probe(worker->client, patience_ms, out, &err);

    worker->probed_ms = clock_monotonic_ms();
    if (!ok || worker->warned_server)
        atomic_store(&worker->server_fails, !ok);
    if (worker->refusal != NULL && err.code != ERR_IO) // ERR_IO: none is there
        last_words_set(worker->refusal, ok ? "" : err.text);
    if (!ok && !worker->warned_server)
        log_warn("server-away", "worker %s waits: %s", worker->name, err.text);
    if (ok)
        worker->away_ms = -1;
    else if (worker->away_ms < 0)
        worker->away_ms = worker->probed_ms;
    if (ok && worker->warned_server)
        log_info("server-back", "worker %s: %s answers", worker->name,
                 worker->address.url);
    worker->warned_server = !ok;
    return ok;
}

static bool open_socket(struct worker *worker)
{
    struct wire_id id = {0};
    struct err err = ERR_CLEAR;
    char text[WIRE_ID_MAX + 1];

    // Fresh each time: nothing that was meant for an earlier greeting can
    // reach this one. Long enough that nobody guesses it and takes it over.
    int len =
        snprintf(text, sizeof text, "%.40s-%08" PRIx32 "%08" PRIx32,
                 worker->name, randombytes_random(), randombytes_random());
    id.len = (uint8_t)len;
    memcpy(id.bytes, text, id.len);
    worker->socket = wire_connect(worker->context, worker->endpoint,
                                  &worker->key, &id, &err);
    if (worker->socket == NULL && !worker->warned_coordinator) {
        log_warn("no-socket", "worker %s: %s", worker->name, err.text);
        worker->warned_coordinator = true;
    }
    return worker->socket != NULL;
}

// One line says why, until it may work again.
static bool is_unwanted(struct worker *worker, int64_t now_ms)
{
    const char *why = guest_refusal(&worker->guest, now_ms);

    if (why != NULL && !worker->told_unwanted)
        log_info("worker-yields", "worker %s steps back: %s", worker->name,
                 why);
    worker->told_unwanted = why != NULL;
    return why != NULL;
}

static void report_done(struct worker *worker);

static void step_apart(struct worker *worker, int64_t now_ms)
{
    struct model_server found = {0};

    report_done(worker); // of kept calls: there are no others
    if (now_ms < worker->due_ms)
        return;
    if (is_unwanted(worker, now_ms)) {
        worker->due_ms = now_ms + GUEST_WAIT_MS;
        return;
    }
    if (!probe(worker, PROBE_MS, &found) || !open_socket(worker)) {
        model_server_release(&found);
        part(worker, clock_monotonic_ms());
        return;
    }
    model_server_release(&worker->server);
    worker->server = found;
    if (!worker->address.slots_given && found.slots > 0)
        worker->address.slots = found.slots;
    worker->state = GREETING;
    worker->due_ms = clock_monotonic_ms() + worker->patience_ms;
    worker->patience_ms *= 2;
    if (worker->patience_ms > GREETING_MAX_MS)
        worker->patience_ms = GREETING_MAX_MS;
}

static int64_t fresh_epoch(void)
{
    uint64_t epoch = 0;

    randombytes_buf(&epoch, sizeof epoch);
    return (int64_t)(epoch >> 1);
}

// The keys of what is kept; how many bytes.
static size_t list_kept(const struct held_list *held,
                        char out[WIRE_MAX_KEPT * WIRE_KEY_BYTES])
{
    size_t len = 0;

    for (const struct held *at = held->first;
         at != NULL && len < WIRE_MAX_KEPT * WIRE_KEY_BYTES; at = at->next) {
        if (!at->kept)
            continue;
        memcpy(out + len, at->call.key, WIRE_KEY_BYTES);
        len += WIRE_KEY_BYTES;
    }
    return len;
}

static size_t list_models(const struct model_server *server, const char *digest,
                          struct wire_model *out)
{
    size_t n = server->n_models;

    if (n > WIRE_MAX_MODELS)
        n = WIRE_MAX_MODELS;
    for (size_t i = 0; i < n; i++) {
        out[i].name = server->models[i].name;
        out[i].digest = server->models[i].digest;
        if (out[i].digest[0] == '\0' && digest != NULL)
            out[i].digest = digest;
        out[i].context = server->models[i].context;
        out[i].quantization = server->models[i].quantization;
    }
    return n;
}

// The connection may not stand yet: then the next step tries again.
static bool say_hello(struct worker *worker)
{
    struct message message = {.kind = MESSAGE_HELLO};
    struct wire_model models[WIRE_MAX_MODELS];
    char kept[WIRE_MAX_KEPT * WIRE_KEY_BYTES];
    struct hello *hello = &message.as.hello;
    struct err err = ERR_CLEAR;

    hello->version = WIRE_VERSION;
    hello->role = PEER_WORKER;
    hello->name = worker->name;
    hello->epoch = worker->epoch;
    hello->slots = worker->address.slots;
    hello->software = "promptcc " PROMPTCC_VERSION;
    hello->backend = worker->address.backend;
    hello->server = worker->server.version;
    hello->simulated = worker->server.simulated ? 1 : 0;
    hello->models = models;
    hello->n_models = list_models(&worker->server, worker->digest, models);
    hello->kept = kept;
    hello->kept_len = list_kept(&worker->held, kept);
    hello->several = 1;
    hello->prefixes = WIRE_MAX_PREFIXES;
    hello->instance = worker->instance;
    hello->greeting = worker->greetings;
    if (wire_send(worker->socket, NULL, &message, &err))
        return true;
    log_debug("hello-failed", "worker %s: %s", worker->name, err.text);
    return false;
}

static void step_greeting(struct worker *worker, int64_t now_ms)
{
    report_done(worker);
    if (!worker->said_hello) {
        worker->epoch = fresh_epoch();
        worker->greetings++;
        worker->said_hello = say_hello(worker);
    }
    if (now_ms >= worker->due_ms)
        lose_coordinator(worker, now_ms);
}

// ---- serving

// The server is busy: the call is tried here again in a moment. Where the
// server asks for a longer wait (Retry-After), the call goes back at once, for
// another worker may have room, and this server is left alone until then.
static void send_busy_later(struct worker *worker, struct held *held,
                            const struct model_done *done)
{
    int64_t id = held->call.id;
    int64_t wait_ms = (int64_t)BUSY_MS << held->busy_tries;

    held_set_open(&worker->held, held, false);
    if (done->retry_ms > wait_ms)
        wait_ms = done->retry_ms;
    worker->busy_ms = clock_monotonic_ms() + wait_ms;
    if (++held->busy_tries < BUSY_TRIES && wait_ms <= BUSY_HOLD_MS)
        return;
    held_remove(&worker->held, held);
    (void)send_fault(worker, id, FAULT_BUSY, done->text);
}

// Its answer is there. Sends it, and keeps it until it is surely durable.
static void send_answer(struct worker *worker, struct held *held)
{
    struct message message = {.kind = MESSAGE_ANSWER};

    message.as.answer.id = held->call.id;
    message.as.answer.answer = held->answer;
    held_keep(&worker->held, held);
    held_set_sent(&worker->held, held, true);
    // What it shows when it joins is nothing that anybody paid for. (Where it
    // could not be sent, it is gone already.)
    if (send_message(worker, &message) && message.as.answer.id >= WIRE_PROOF_ID)
        held_remove(&worker->held, held);
}

// What is held of jobs: what it shows when it joins is beyond its credit.
static size_t count_work(const struct worker *worker)
{
    size_t n = 0;

    for (const struct held *at = worker->held.first; at != NULL; at = at->next)
        n += !at->kept && at->call.id < WIRE_PROOF_ID;
    return n;
}

static void forget_durable(struct worker *worker)
{
    size_t credit = (size_t)worker->address.slots + 1;

    while (count_work(worker) + worker->held.n_sent > credit &&
           worker->held.n_sent > 0)
        held_remove(&worker->held, held_first_sent(&worker->held));
}

static void take_answer(struct worker *worker, struct held *held,
                        struct model_done *done)
{
    atomic_store(&worker->answered_ms, clock_monotonic_ms());
    atomic_store(&worker->server_fails, false);
    worker->lacks_model = false;
    worker_speed_add(&worker->speed, &done->answer);
    held_set_open(&worker->held, held, false);
    held->answered = true;
    held->answer = done->answer;
    done->answer = (struct call_answer){0};
}

// A call took too long. Whether the server answers at all; if not, the fault is
// not the call's. Calls that were out together are one outage: their deadline
// doubles once.
static bool is_there_still(struct worker *worker, const struct model_done *done)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t begun_ms = now_ms - done->answer.total_us / 1000;
    struct model_server found = {0};
    bool there =
        worker->state != SERVING || probe(worker, LOOK_PATIENCE_MS, &found);

    model_server_release(&found);
    if (there && begun_ms >= worker->missed_ms) {
        worker_speed_miss(&worker->speed);
        worker->missed_ms = now_ms;
    }
    return there;
}

// The server says that it has not got the model of a call. One that still lists
// it had a moment of weakness, such as while the model is fetched anew: that is
// a fault like others, which passes, and not the end of all calls of the model.
static bool lists_still(struct worker *worker, const struct held *held,
                        struct model_done *done)
{
    struct model_server found = {0};
    struct err err = ERR_CLEAR;
    bool lists = probe(worker, LOOK_PATIENCE_MS, &found) &&
                 model_server_find(&found, held->call.request.model) != NULL;

    model_server_release(&found);
    if (!lists)
        return false;
    err_set(&err, ERR_FAULT,
            "the server lists the model %s, and says that it has not got it",
            held->call.request.model);
    done->fault = FAULT_SERVER;
    memcpy(done->text, err.text, sizeof done->text);
    return true;
}

// It answers when asked for its version, but no call in time.
static bool is_wedged(const struct worker *worker)
{
    return worker->restart.command != NULL && worker->state == SERVING &&
           worker->speed.missed >= RESTART_TIMEOUTS;
}

static void report(struct worker *worker, struct held *held,
                   struct model_done *done)
{
    int64_t id = held->call.id;

    if (done->fault == FAULT_NONE) {
        take_answer(worker, held, done);
        if (!held->kept)
            send_answer(worker, held);
        return;
    }
    if (held->kept) {
        held_remove(&worker->held, held); // nobody is to hear of the fault
        return;
    }
    if (done->fault == FAULT_BUSY) {
        send_busy_later(worker, held, done);
        return;
    }
    if (done->fault == FAULT_TIMEOUT && !is_there_still(worker, done)) {
        leave(worker, "the model server does not answer any more");
        return;
    }
    if (done->fault == FAULT_MODEL && worker->state == SERVING &&
        !lists_still(worker, held, done)) {
        worker->lacks_model = true;
        leave(worker, "the model server has lost a model");
        return;
    }
    held_remove(&worker->held, held);
    atomic_store(&worker->server_fails, true);
    bool there = send_fault(worker, id, done->fault, done->text);
    if (there && is_wedged(worker)) {
        restart_begin(&worker->restart, worker->name,
                      "calls time out one after the other",
                      clock_monotonic_ms());
        leave(worker, "the model server is wedged, and is brought back");
        return;
    }
    if (there && done->fault == FAULT_REFUSED && worker->state == SERVING)
        leave(worker, "the model server went away");
}

static void report_done(struct worker *worker)
{
    struct model_done done = {0};

    while (model_take_done(worker->client, &done)) {
        worker->worked_ms = clock_monotonic_ms();
        struct held *held = held_by_number(&worker->held, done.id);
        if (held != NULL)
            report(worker, held, &done);
        call_answer_release(&done.answer);
    }
}

static bool begin_call(struct worker *worker, struct held *held)
{
    struct err err = ERR_CLEAR;
    int64_t timeout_ms = worker_speed_timeout_ms(
        &worker->speed, &held->call.request, held->call.timeout_ms);

    if (model_begin(worker->client, held->number, &held->call.request,
                    timeout_ms, &err)) {
        held_set_open(&worker->held, held, true);
        return true;
    }
    int64_t id = held->call.id;
    held_remove(&worker->held, held);
    return send_fault(worker, id, FAULT_BUSY, err.text);
}

static void begin_calls(struct worker *worker, int64_t now_ms)
{
    while (worker->held.n_open < (size_t)worker->address.slots &&
           now_ms >= worker->busy_ms) {
        struct held *held = held_first_waiting(&worker->held);
        if (held == NULL || !begin_call(worker, held))
            return;
    }
}

static bool same_models(const struct model_server *a,
                        const struct model_server *b)
{
    if (a->n_models != b->n_models || strcmp(a->version, b->version) != 0)
        return false;
    for (size_t i = 0; i < a->n_models; i++) {
        if (strcmp(a->models[i].name, b->models[i].name) != 0 ||
            strcmp(a->models[i].digest, b->models[i].digest) != 0)
            return false;
    }
    return true;
}

// A name that stands for another model than when the worker greeted.
static bool exchanged_model(const struct model_server *had,
                            const struct model_server *has)
{
    for (size_t i = 0; i < had->n_models; i++) {
        const struct model_info *now =
            model_server_find(has, had->models[i].name);
        if (now != NULL && strcmp(now->digest, had->models[i].digest) != 0)
            return true;
    }
    return false;
}

// Somebody pulled a model, and a job may wait for it, while this worker is busy
// for days with another. The same greeting once more, with what is there now.
// What cannot be sent is said at the next look.
static void tell_models(struct worker *worker, struct model_server *found)
{
    struct model_server had = worker->server;

    worker->server = *found;
    *found = had;
    if (!say_hello(worker)) {
        *found = worker->server;
        worker->server = had;
    }
}

// While there are calls: somebody may pull another model under the old name,
// and its answers would count as the old one's. Whether the server is there at
// all its calls find out, and models that came or went are no reason to give
// them back.
static void look_while_busy(struct worker *worker)
{
    struct model_server found = {0};
    struct err ignored = ERR_CLEAR;

    if (model_probe(worker->client, LOOK_PATIENCE_MS, &found, &ignored)) {
        if (exchanged_model(&worker->server, &found))
            leave(worker, "the server has another model of the same name now");
        else if (!same_models(&worker->server, &found))
            tell_models(worker, &found);
    }
    worker->probed_ms = clock_monotonic_ms();
    model_server_release(&found);
}

// A worker without calls would not notice that its server went, or got other
// models.
static void look_while_idle(struct worker *worker)
{
    struct model_server found = {0};

    if (!probe(worker, LOOK_PATIENCE_MS, &found))
        leave(worker, "the model server went away");
    else if (!same_models(&worker->server, &found))
        leave(worker, "the model server has other models now");
    model_server_release(&found);
}

// The loop waits for HTTP here, for less than the coordinator's patience. A
// look costs the server nothing; one that is slow to answer is left in peace
// for longer.
static void look_at_server(struct worker *worker, int64_t now_ms)
{
    bool busy = worker->held.n + worker->held.n_open > 0;
    bool lacks = worker->lacks_model && !busy;
    int64_t wait_ms = lacks ? LACKS_LOOK_MS : worker->look_ms;

    if (wait_ms < worker->spare_ms)
        wait_ms = worker->spare_ms;
    if (now_ms < worker->probed_ms + wait_ms)
        return;
    if (busy)
        look_while_busy(worker);
    else
        look_while_idle(worker);
    worker->spare_ms = busy ? LOOK_SHARE * (worker->probed_ms - now_ms) : 0;
}

// Who holds no call may be seldom heard, as the coordinator asks of many. Not
// right after the last one: what was lost on its way is found out by
// heartbeats.
static int64_t beat_every(const struct worker *worker, int64_t now_ms)
{
    int64_t rest_ms = worker->worked_ms + REST_BEATS * worker->heartbeat_ms;
    uint32_t spread_ms = (uint32_t)worker->rhythm_ms / 4 + 1;

    if (now_ms < rest_ms || worker->rhythm_ms <= worker->heartbeat_ms)
        return worker->heartbeat_ms;
    return worker->rhythm_ms - (int64_t)randombytes_uniform(spread_ms);
}

static int64_t patience_ms(const struct worker *worker)
{
    int64_t ms = worker->heartbeat_ms * PATIENCE_BEATS;
    int64_t rest_ms = worker->rhythm_ms * PATIENCE_IDLE;

    return ms > rest_ms ? ms : rest_ms;
}

// Within a heartbeat, and thousands of workers not in the same instant.
static void beat_soon(struct worker *worker, int64_t now_ms)
{
    uint32_t most_ms = (uint32_t)worker->heartbeat_ms;
    int64_t soon_ms = now_ms + (int64_t)randombytes_uniform(most_ms);

    if (worker->beat_ms > soon_ms)
        worker->beat_ms = soon_ms;
}

// A connection that broke may lead to another coordinator when it is back: what
// was said is to be said again, and the next heartbeat shows who listens.
static void mind_connection(struct worker *worker, int64_t now_ms)
{
    bool stands = wire_writable(worker->socket);

    if (!stands)
        worker->said_hello = false;
    if (!stands && !worker->unsteady)
        beat_soon(worker, now_ms);
    worker->unsteady = !stands;
}

// False when the coordinator is lost.
static bool keep_in_touch(struct worker *worker, int64_t now_ms)
{
    if (now_ms >= worker->heard_ms + patience_ms(worker)) {
        lose_coordinator(worker, now_ms);
        return false;
    }
    if (now_ms < worker->beat_ms)
        return true;
    worker->beat_ms = now_ms + beat_every(worker, now_ms);
    return send_heartbeat(worker);
}

// ---- draining

static void begin_drain(struct worker *worker)
{
    char calls[TEXT_COUNTED_BYTES];

    if (worker->state != SERVING) {
        worker->state = ENDED;
        return;
    }
    drop_kept_calls(worker, false);
    log_info("worker-drains", "worker %s finishes %s", worker->name,
             text_counted(calls, (int64_t)worker->held.n_open, "call"));
    if (!hand_back(worker, false, "the worker drains"))
        return;
    if (worker->held.n == 0 || send_goodbye(worker, worker->held.n))
        worker->state = DRAINING;
}

// All is handed in. A guest comes back when it may.
static void end_drain(struct worker *worker)
{
    if (!worker->steps_back || atomic_load(&worker->drain)) {
        worker->state = ENDED;
        return;
    }
    worker->steps_back = false;
    part(worker, clock_monotonic_ms());
}

// A call that meets a busy server is not asked again: it goes back.
static void step_draining(struct worker *worker, int64_t now_ms)
{
    if (!keep_in_touch(worker, now_ms))
        return;
    report_done(worker);
    if (worker->state == DRAINING)
        (void)hand_back(worker, false, "the worker drains");
    if (worker->state == DRAINING && worker->held.n == 0 &&
        send_goodbye(worker, 0))
        end_drain(worker);
}

// ---- serving, as one turn

static void step_serving(struct worker *worker, int64_t now_ms)
{
    if (!keep_in_touch(worker, now_ms))
        return;
    report_done(worker);
    if (now_ms >= worker->welcome_ms + KEPT_MS)
        drop_kept_calls(worker, false); // nobody asked for them
    if (worker->state == SERVING && is_unwanted(worker, now_ms)) {
        worker->steps_back = true;
        begin_drain(worker);
        return;
    }
    if (worker->state == SERVING)
        begin_calls(worker, now_ms);
    if (worker->state == SERVING)
        look_at_server(worker, now_ms);
}

// ---- what the coordinator says

static void on_welcome(struct worker *worker, const struct message *message)
{
    char slots[TEXT_COUNTED_BYTES];

    if (worker->state != GREETING)
        return;
    worker->state = SERVING;
    worker->welcome_ms = clock_monotonic_ms();
    worker->busy_ms = 0; // a server that was away has forgotten its queue
    worker->spare_ms = 0;
    atomic_store(&worker->served, true);
    worker->heartbeat_ms = message->as.welcome.heartbeat_ms;
    worker->rhythm_ms = message->as.welcome.idle_ms;
    worker->gathers = message->as.welcome.several != 0;
    worker->beat_ms = clock_monotonic_ms() + worker->heartbeat_ms;
    worker->retry_ms = RETRY_MS;
    worker->patience_ms = GREETING_MS;
    worker->warned_coordinator = false;
    worker->asked_why = false;
    log_info("worker-joined", "worker %s serves %s with %s",
             message->as.welcome.name, worker->endpoint,
             text_counted(slots, worker->address.slots, "slot"));
}

// How often to beat changes with the number of workers.
static void on_heartbeat(struct worker *worker, const struct message *message)
{
    worker->rhythm_ms = message->as.heartbeat.idle_ms;
}

// "hello" is a coordinator that was restarted: greet it, no fuss.
static void on_refused(struct worker *worker, const struct message *message)
{
    const struct refused *refused = &message->as.refused;

    if (strcmp(refused->code, "hello") != 0 && !worker->warned_coordinator) {
        log_warn("worker-refused", "worker %s: %s", worker->name,
                 refused->text);
        worker->warned_coordinator = true;
    }
    part(worker, clock_monotonic_ms());
}

static bool is_other_model(const struct worker *worker,
                           const struct call_message *call)
{
    const struct model_info *model =
        model_server_find(&worker->server, call->request.model);

    return model != NULL && model->digest[0] != '\0' &&
           call->digest[0] != '\0' && strcmp(model->digest, call->digest) != 0;
}

// The same is at work here or answered: it was asked by an earlier coordinator,
// or by this one, which has not heard of us for a while, or over a connection
// that broke. Nothing is asked twice; the answer goes back under the new lease.
static bool adopt(struct worker *worker, const struct call_message *call)
{
    struct held *held = held_find_key(&worker->held, call->key, call->key_len);

    if (held == NULL)
        return false;
    held_adopt(&worker->held, held, call->id);
    if (held->answered)
        send_answer(worker, held);
    return true;
}

// A held call has all its texts in its arena. False: the call cannot be taken,
// and is sent again (wire/prefixes.h): at once if its prefix is what lacks, and
// else when the heartbeats have not named it, for it may never be right.
static bool own_prefix(struct worker *worker, struct call_message *call)
{
    bool named = call->request.prefix_len == 0 && call->prefix_name_len > 0;
    struct err err = ERR_CLEAR;

    if (!kept_prefixes_fill(&worker->prefixes, call, &err)) {
        log_info("call-not-taken", "worker %s: lease %" PRId64 ": %s",
                 worker->name, call->id, err.text);
        if (err.code == ERR_BUSY) {
            char lease[WIRE_LEASE_BYTES];

            lease_write(call->id, lease);
            buf_append(&worker->lacks, lease, sizeof lease);
        }
        return false;
    }
    if (named)
        call->request.prefix = arena_strndup(
            &worker->arena, call->request.prefix, call->request.prefix_len);
    return call->request.prefix != NULL;
}

static void on_call(struct worker *worker, const struct message *message)
{
    struct call_message own = message->as.call;
    const struct call_message *call = &own;
    size_t credit = (size_t)worker->address.slots + 1;

    worker->worked_ms = clock_monotonic_ms();
    if (worker->beat_ms > worker->worked_ms + worker->heartbeat_ms)
        worker->beat_ms = worker->worked_ms + worker->heartbeat_ms;
    if (!own_prefix(worker, &own))
        return;
    if (held_find(&worker->held, call->id) != NULL ||
        (worker->state != GREETING && adopt(worker, call)))
        return;
    if (worker->state != SERVING)
        (void)send_fault(worker, call->id, FAULT_LOST,
                         "the worker takes no calls now");
    else if (call->id < WIRE_PROOF_ID && count_work(worker) >= credit)
        (void)send_fault(worker, call->id, FAULT_BUSY,
                         "the worker has all the calls that it takes");
    else if (is_other_model(worker, call))
        (void)send_fault(worker, call->id, FAULT_MODEL,
                         "the model here has another digest than the job's");
    else if (held_add(&worker->held, call, &worker->arena) == NULL)
        (void)send_fault(worker, call->id, FAULT_BUSY, "no memory");
    else
        forget_durable(worker);
}

static void on_cancel(struct worker *worker, const struct message *message)
{
    struct held *held = held_find(&worker->held, message->as.cancel.id);

    if (held == NULL)
        return;
    drop_held(worker, held);
}

static void (*const handlers[MESSAGE_KIND_COUNT])(struct worker *,
                                                  const struct message *) = {
    [MESSAGE_WELCOME] = on_welcome, [MESSAGE_HEARTBEAT] = on_heartbeat,
    [MESSAGE_REFUSED] = on_refused, [MESSAGE_CALL] = on_call,
    [MESSAGE_CANCEL] = on_cancel,
};

static void handle(struct worker *worker, const struct message *message)
{
    worker->heard_ms = clock_monotonic_ms();
    if (handlers[message->kind] != NULL)
        handlers[message->kind](worker, message);
}

// All of them in one message, so that the prefix comes once. Beyond its cap the
// buffer is empty: then the next heartbeats tell, by what they do not name.
static void tell_lacks(struct worker *worker)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT};

    message.as.heartbeat.lacks = worker->lacks.data;
    message.as.heartbeat.lacks_len = worker->lacks.len;
    message.as.heartbeat.idle_ms = worker->rhythm_ms;
    if (worker->lacks.len > 0 && !worker->lacks.failed &&
        worker->state == SERVING)
        (void)send_message(worker, &message);
    buf_clear(&worker->lacks);
}

// Takes all there is: ZeroMQ's descriptor tells of a change only once.
static void receive(struct worker *worker)
{
    enum wire_got got = WIRE_NOTHING;
    struct message message;
    struct err err = ERR_CLEAR;

    while (worker->socket != NULL) {
        got =
            wire_receive(worker->socket, NULL, &worker->arena, &message, &err);
        if (got == WIRE_NOTHING)
            return;
        if (got == WIRE_FAILED) {
            lose_coordinator(worker, clock_monotonic_ms());
            return;
        }
        if (got == WIRE_MESSAGE)
            handle(worker, &message);
        else
            log_warn("bad-message", "worker %s: %s", worker->name, err.text);
        arena_release(&worker->arena);
    }
}

// ---- the loop

static void (*const steps[])(struct worker *, int64_t now_ms) = {
    [APART] = step_apart,
    [GREETING] = step_greeting,
    [SERVING] = step_serving,
    [DRAINING] = step_draining,
};

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_due_ms(const struct worker *worker, int64_t now_ms)
{
    int64_t due_ms = now_ms + TICK_MS;

    if (worker->state == APART || worker->state == GREETING)
        due_ms = sooner(due_ms, worker->due_ms);
    if (worker->state == GREETING && !worker->said_hello)
        due_ms = sooner(due_ms, now_ms + SEND_RETRY_MS);
    if (worker->state == SERVING || worker->state == DRAINING)
        due_ms = sooner(due_ms, worker->beat_ms);
    if (worker->held.n + worker->held.n_kept > worker->held.n_open &&
        worker->busy_ms > now_ms)
        due_ms = sooner(due_ms, worker->busy_ms);
    return due_ms;
}

static void wait_for_work(struct worker *worker)
{
    struct err err = ERR_CLEAR;
    int64_t now_ms = clock_monotonic_ms();
    int64_t wait_ms = next_due_ms(worker, now_ms) - now_ms;
    int fd = worker->socket == NULL ? -1 : wire_fd(worker->socket);

    if (wait_ms < 0 || (worker->socket != NULL && wire_pending(worker->socket)))
        wait_ms = 0;
    if (!model_poll(worker->client, fd, wait_ms, &err))
        log_error("poll-failed", "worker %s: %s", worker->name, err.text);
}

// What is done in any state.
static void look_after(struct worker *worker, int64_t now_ms)
{
    atomic_store(&worker->turned_ms, now_ms);
    atomic_store(&worker->serving, worker->state == SERVING);
    if (worker->held.n + worker->held.n_open > 0)
        worker->worked_ms = now_ms;
    if (worker->idle_ms > 0 && now_ms - worker->worked_ms >= worker->idle_ms &&
        !atomic_exchange(&worker->drain, true))
        log_info("worker-idle",
                 "worker %s had no call for %" PRId64 " s, and ends",
                 worker->name, worker->idle_ms / 1000);
    restart_tend(&worker->restart, worker->name, now_ms);
    if (worker->away_ms >= 0 && now_ms - worker->away_ms >= RESTART_AFTER_MS)
        restart_begin(&worker->restart, worker->name,
                      "the model server does not answer", now_ms);
}

static void *run(void *user)
{
    struct worker *worker = user;

    worker->heartbeat_ms = WIRE_HEARTBEAT_MS;
    worker->instance = fresh_epoch();
    worker->worked_ms = clock_monotonic_ms();
    worker->away_ms = -1;
    while (worker->state != ENDED) {
        receive(worker);
        tell_lacks(worker);
        look_after(worker, clock_monotonic_ms());
        if (atomic_load(&worker->drain) && worker->state != DRAINING)
            begin_drain(worker);
        if (worker->socket != NULL)
            mind_connection(worker, clock_monotonic_ms());
        if (worker->state != ENDED)
            steps[worker->state](worker, clock_monotonic_ms());
        flush(worker);
        if (worker->state != ENDED)
            wait_for_work(worker);
    }
    part(worker, clock_monotonic_ms());
    restart_end(&worker->restart);
    drop_kept_calls(worker, true);
    log_info("worker-ended", "worker %s has ended", worker->name);
    atomic_store(&worker->ended, true);
    return NULL;
}

// ---- from outside

static bool copy_text(char *out, size_t size, const char *text,
                      const char *what, struct err *err)
{
    if (strlen(text) < size) {
        memcpy(out, text, strlen(text) + 1);
        return true;
    }
    err_set(err, ERR_INPUT, "%s is too long (over %zu bytes)", what, size - 1);
    return false;
}

static bool set_name(struct worker *worker, const char *name, struct err *err)
{
    char host[64] = "worker";

    if (name != NULL && !text_is_utf8(name, strlen(name))) {
        err_set(err, ERR_INPUT, "the worker's name is not UTF-8 text");
        return false;
    }
    if (name != NULL && name[0] != '\0')
        return copy_text(worker->name, sizeof worker->name, name,
                         "the worker's name", err);
    if (gethostname(host, sizeof host) == 0)
        host[sizeof host - 1] = '\0';
    (void)text_print(worker->name, sizeof worker->name, "%s-%ld", host,
                     (long)getpid());
    return true;
}

// Signals are for the thread that the program chose.
static bool start_thread(struct worker *worker, struct err *err)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&worker->thread, NULL, run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        err_set(err, ERR_IO, "cannot start a thread for a worker: %s",
                strerror(failed));
    return failed == 0;
}

static void free_worker(struct worker *worker)
{
    key_wipe(&worker->key);
    model_client_free(worker->client);
    model_server_release(&worker->server);
    arena_release(&worker->arena);
    outbox_release(&worker->outbox);
    kept_prefixes_release(&worker->prefixes);
    buf_release(&worker->lacks);
    free(worker);
}

struct worker *worker_start(void *context, const struct worker_options *options,
                            struct err *err)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (worker == NULL || sodium_init() < 0) {
        free(worker);
        err_nomem(err, "a worker");
        return NULL;
    }
    worker->context = context;
    worker->address = options->address;
    if (options->key != NULL)
        worker->key = *options->key;
    worker->idle_ms = options->idle_ms;
    worker->look_ms = options->look_ms > 0 ? options->look_ms : LOOK_MS;
    worker->digest = options->digest;
    worker->refusal = options->refusal;
    worker->guest = options->guest;
    worker->guest.port = reach_local_port(options->address.url);
    worker->restart.command = options->restart_cmd;
    worker->arena = ARENA_INIT(FRAME_ARENA_MAX);
    worker->outbox = OUTBOX_INIT;
    worker->prefixes = KEPT_PREFIXES_INIT;
    worker->lacks = BUF_INIT(WIRE_MAX_HELD * WIRE_LEASE_BYTES + 1);
    worker->retry_ms = RETRY_MS;
    worker->patience_ms = GREETING_MS;
    atomic_store(&worker->answered_ms, -1);
    atomic_store(&worker->turned_ms, clock_monotonic_ms());
    if (!copy_text(worker->endpoint, sizeof worker->endpoint,
                   options->coordinator, "the coordinator's address", err) ||
        !set_name(worker, options->name, err))
        goto failed;
    worker->client = model_client_new(&worker->address, err);
    if (worker->client == NULL || !start_thread(worker, err))
        goto failed;
    return worker;

failed:
    free_worker(worker);
    return NULL;
}

void worker_drain(struct worker *worker)
{
    atomic_store(&worker->drain, true);
    model_wake(worker->client);
}

bool worker_serving(const struct worker *worker)
{
    return atomic_load(&worker->served);
}

struct worker_health worker_look(const struct worker *worker)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t answered_ms = atomic_load(&worker->answered_ms);

    return (struct worker_health){
        .serving = atomic_load(&worker->serving),
        .turn_ms = now_ms - atomic_load(&worker->turned_ms),
        .answer_ms = answered_ms < 0 ? -1 : now_ms - answered_ms,
        .server_fails = atomic_load(&worker->server_fails)};
}

bool worker_ended(const struct worker *worker)
{
    return atomic_load(&worker->ended);
}

void worker_stop(struct worker *worker)
{
    if (worker == NULL)
        return;
    worker_drain(worker);
    pthread_join(worker->thread, NULL);
    free_worker(worker);
}
