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
#include "wire/prefixes.h"
#include "worker/held.h"
#include "worker/pulse.h"
#include "worker/restart.h"
#include "worker/server_watch.h"
#include "worker/uplink.h"
#include "worker/worker_speed.h"

// Times in milliseconds; docs/protocol.md says where each comes from.
enum {
    SEND_RETRY_MS = 50, // while the connection is not there yet
    BUSY_MS = 250,      // after the first 503, doubled with each
    BUSY_TRIES = 4,
    BUSY_HOLD_MS = 5000, // a call is not held for a longer wait than this
    KEPT_MS = 30000,     // from WELCOME on, until what is kept is not wanted
    GUEST_WAIT_MS = GUEST_LOOK_MS, // between two looks of one that steps back
    TICK_MS = 1000,                // the loop never sleeps longer
    NAME_BYTES = 128,
};
#define FRAME_ARENA_MAX ((size_t)2 * WIRE_MAX_BYTES)

enum worker_state { APART, GREETING, SERVING, DRAINING, ENDED };

struct worker {
    // Set before the thread starts.
    char name[NAME_BYTES];
    struct model_address address;
    struct model_client *client; // owned; only model_wake from outside
    int64_t idle_ms;             // ends after so long without a call; 0: never
    pthread_t thread;

    atomic_bool drain;
    atomic_bool ended;
    atomic_bool served; // a WELCOME has come, ever

    // For worker_look.
    atomic_bool serving;
    atomic_llong turned_ms;
    atomic_llong answered_ms; // -1: never

    // The thread's own.
    enum worker_state state;
    struct uplink *uplink;         // owned
    struct pulse pulse;            // of what is said over it
    struct server_watch *watch;    // owned
    struct arena arena;            // of the message being read
    struct kept_prefixes prefixes; // of calls, from this coordinator
    struct buf lacks;              // leases of calls without a known prefix
    struct held_list held;
    struct worker_speed speed;
    int64_t welcome_ms; // when the coordinator took us in
    int64_t busy_ms;    // nothing is asked of the server before
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

// Which of the held calls something is done with.
typedef bool held_test(const struct held *held);

static bool is_kept(const struct held *held)
{
    return held->kept;
}

// Open or answered, for a coordinator that has not asked for it again.
static bool is_unclaimed(const struct held *held)
{
    return held->kept && !held->sent;
}

static bool has_lease(const struct held *held)
{
    return !held->kept;
}

static bool is_waiting(const struct held *held)
{
    return !held->kept && !held->open;
}

static void drop_calls(struct worker *worker, held_test *concerns)
{
    struct held *next = NULL;

    for (struct held *at = worker->held.first; at != NULL; at = next) {
        next = at->next;
        if (concerns(at))
            drop_held(worker, at);
    }
}

static void part(struct worker *worker)
{
    keep_calls(worker);
    uplink_close(worker->uplink, clock_monotonic_ms());
    kept_prefixes_release(&worker->prefixes);
    worker->state = APART;
}

static void lose_coordinator(struct worker *worker)
{
    if (worker->state == GREETING)
        uplink_tell_in_vain(worker->uplink);
    else
        uplink_tell_lost(worker->uplink);
    part(worker);
}

// Sent by the end of the turn. False when the coordinator is lost, and the
// worker apart. What is on its way is held like all that is sent: it may be
// lost, and then it is said again.
static bool send_message(struct worker *worker, const struct message *message)
{
    bool ok = uplink_send(worker->uplink, message);

    if (!ok)
        lose_coordinator(worker);
    return ok;
}

static void flush(struct worker *worker)
{
    if (!uplink_flush(worker->uplink))
        lose_coordinator(worker);
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
    beat->idle_ms = worker->pulse.idle_ms;
    return send_message(worker, &message);
}

static bool send_goodbye(struct worker *worker, size_t n_open)
{
    struct message message = {.kind = MESSAGE_GOODBYE};

    message.as.goodbye.open = (int64_t)n_open;
    return send_message(worker, &message);
}

// Gives leases back to the coordinator. False when it is lost meanwhile.
static bool hand_back(struct worker *worker, held_test *concerns,
                      const char *why)
{
    struct held *next = NULL;

    for (struct held *at = worker->held.first; at != NULL; at = next) {
        next = at->next;
        if (!concerns(at))
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
    if (hand_back(worker, has_lease, why) && send_goodbye(worker, 0))
        part(worker);
}

// ---- greeting

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
    report_done(worker); // of kept calls: there are no others
    if (!uplink_is_due(worker->uplink, now_ms))
        return;
    if (is_unwanted(worker, now_ms)) {
        uplink_delay(worker->uplink, now_ms + GUEST_WAIT_MS);
        return;
    }
    if (!server_watch_meet(worker->watch) ||
        !uplink_open(worker->uplink, clock_monotonic_ms())) {
        part(worker);
        return;
    }
    int slots = server_watch_server(worker->watch)->slots;
    if (!worker->address.slots_given && slots > 0)
        worker->address.slots = slots;
    worker->state = GREETING;
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

// What a HELLO says of a worker whose server is and has that.
struct introduction {
    struct hello hello;
    struct wire_model models[WIRE_MAX_MODELS];
    char kept[WIRE_MAX_KEPT * WIRE_KEY_BYTES];
};

static void introduce(const struct worker *worker,
                      const struct model_server *server,
                      struct introduction *out)
{
    out->hello = (struct hello){.version = WIRE_VERSION,
                                .role = PEER_WORKER,
                                .name = worker->name,
                                .slots = worker->address.slots,
                                .software = "promptcc " PROMPTCC_VERSION,
                                .backend = worker->address.backend,
                                .kept = out->kept,
                                .kept_len = list_kept(&worker->held, out->kept),
                                .several = 1,
                                .prefixes = WIRE_MAX_PREFIXES};
    server_watch_describe(worker->watch, server, out->models, &out->hello);
}

static void step_greeting(struct worker *worker, int64_t now_ms)
{
    report_done(worker);
    if (!uplink_has_greeted(worker->uplink)) {
        struct introduction own;

        introduce(worker, server_watch_server(worker->watch), &own);
        uplink_greet(worker->uplink, &own.hello);
    }
    if (uplink_is_in_vain(worker->uplink, now_ms))
        lose_coordinator(worker);
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
    server_watch_answered(worker->watch);
    worker_speed_add(&worker->speed, &done->answer);
    held_set_open(&worker->held, held, false);
    held->answered = true;
    held->answer = done->answer;
    done->answer = (struct call_answer){0};
}

// A call took too long. Whether the server answers at all; if not, the fault is
// not the call's.
static bool is_there_still(struct worker *worker, const struct model_done *done)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t begun_ms = now_ms - done->answer.total_us / 1000;
    bool there =
        worker->state != SERVING || server_watch_answers(worker->watch);

    if (there)
        worker_speed_miss(&worker->speed, begun_ms, now_ms);
    return there;
}

// The server says that it has not got the model of a call. Where it still lists
// it, that is a fault like others, which passes, and not the end of all calls
// of the model.
static bool lists_still(struct worker *worker, const struct held *held,
                        struct model_done *done)
{
    struct err err = ERR_CLEAR;

    if (!server_watch_lists(worker->watch, held->call.request.model))
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
        server_watch_lacks_model(worker->watch);
        leave(worker, "the model server has lost a model");
        return;
    }
    held_remove(&worker->held, held);
    server_watch_failed(worker->watch);
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
        pulse_works(&worker->pulse, clock_monotonic_ms());
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

// Somebody pulled a model, and a job may wait for it, while this worker is busy
// for days with another. The same greeting once more, with what is there now.
// What cannot be sent is said at the next look.
static void tell_models(struct worker *worker, struct model_server *found)
{
    struct introduction own;

    introduce(worker, found, &own);
    if (uplink_say_hello(worker->uplink, &own.hello))
        server_watch_take(worker->watch, found);
}

// Models that came or went are no reason to give back the calls that are here.
static void look_at_server(struct worker *worker, int64_t now_ms)
{
    bool has_calls = worker->held.n + worker->held.n_open > 0;
    struct model_server found = {0};

    switch (server_watch_look(worker->watch, has_calls, now_ms, &found)) {
    case SERVER_AS_IT_WAS:
        break;
    case SERVER_GONE:
        leave(worker, "the model server went away");
        break;
    case SERVER_EXCHANGED:
        leave(worker, "the server has another model of the same name now");
        break;
    case SERVER_CHANGED:
        if (has_calls)
            tell_models(worker, &found);
        else
            leave(worker, "the model server has other models now");
        break;
    }
    model_server_release(&found);
}

// False when the coordinator is lost.
static bool keep_in_touch(struct worker *worker, int64_t now_ms)
{
    if (pulse_is_lost(&worker->pulse, now_ms)) {
        lose_coordinator(worker);
        return false;
    }
    return !pulse_beats(&worker->pulse, now_ms) || send_heartbeat(worker);
}

// ---- draining

static void begin_drain(struct worker *worker)
{
    char calls[TEXT_COUNTED_BYTES];

    if (worker->state != SERVING) {
        worker->state = ENDED;
        return;
    }
    drop_calls(worker, is_unclaimed);
    log_info("worker-drains", "worker %s finishes %s", worker->name,
             text_counted(calls, (int64_t)worker->held.n_open, "call"));
    if (!hand_back(worker, is_waiting, "the worker drains"))
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
    part(worker);
}

// A call that meets a busy server is not asked again: it goes back.
static void step_draining(struct worker *worker, int64_t now_ms)
{
    if (!keep_in_touch(worker, now_ms))
        return;
    report_done(worker);
    if (worker->state == DRAINING)
        (void)hand_back(worker, is_waiting, "the worker drains");
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
        drop_calls(worker, is_unclaimed); // nobody asked for them
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
    const struct welcome *welcome = &message->as.welcome;
    char slots[TEXT_COUNTED_BYTES];

    if (worker->state != GREETING)
        return;
    worker->state = SERVING;
    worker->welcome_ms = clock_monotonic_ms();
    worker->busy_ms = 0; // a server that was away has forgotten its queue
    server_watch_hurry(worker->watch);
    atomic_store(&worker->served, true);
    uplink_welcomed(worker->uplink, welcome);
    pulse_begin(&worker->pulse, welcome->heartbeat_ms, welcome->idle_ms,
                worker->welcome_ms);
    log_info("worker-joined", "worker %s serves %s with %s", welcome->name,
             uplink_endpoint(worker->uplink),
             text_counted(slots, worker->address.slots, "slot"));
}

// How often to beat changes with the number of workers.
static void on_heartbeat(struct worker *worker, const struct message *message)
{
    worker->pulse.idle_ms = message->as.heartbeat.idle_ms;
}

static void on_refused(struct worker *worker, const struct message *message)
{
    uplink_tell_refused(worker->uplink, &message->as.refused);
    part(worker);
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

    pulse_works(&worker->pulse, clock_monotonic_ms());
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
    else if (server_watch_differs(worker->watch, call))
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
    pulse_hears(&worker->pulse, clock_monotonic_ms());
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
    message.as.heartbeat.idle_ms = worker->pulse.idle_ms;
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

    while (uplink_is_open(worker->uplink)) {
        got = uplink_receive(worker->uplink, &worker->arena, &message, &err);
        if (got == WIRE_NOTHING)
            return;
        if (got == WIRE_FAILED) {
            lose_coordinator(worker);
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
        due_ms = sooner(due_ms, uplink_due_ms(worker->uplink));
    if (worker->state == GREETING && !uplink_has_greeted(worker->uplink))
        due_ms = sooner(due_ms, now_ms + SEND_RETRY_MS);
    if (worker->state == SERVING || worker->state == DRAINING)
        due_ms = sooner(due_ms, worker->pulse.next_ms);
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

    if (wait_ms < 0 || uplink_pending(worker->uplink))
        wait_ms = 0;
    if (!model_poll(worker->client, uplink_fd(worker->uplink), wait_ms, &err))
        log_error("poll-failed", "worker %s: %s", worker->name, err.text);
}

// What is done in any state.
static void look_after(struct worker *worker, int64_t now_ms)
{
    atomic_store(&worker->turned_ms, now_ms);
    atomic_store(&worker->serving, worker->state == SERVING);
    if (worker->held.n + worker->held.n_open > 0)
        pulse_works(&worker->pulse, now_ms);
    if (worker->idle_ms > 0 &&
        pulse_idle_for_ms(&worker->pulse, now_ms) >= worker->idle_ms &&
        !atomic_exchange(&worker->drain, true))
        log_info("worker-idle",
                 "worker %s had no call for %" PRId64 " s, and ends",
                 worker->name, worker->idle_ms / 1000);
    restart_tend(&worker->restart, worker->name, now_ms);
    if (server_watch_away_ms(worker->watch, now_ms) >= RESTART_AFTER_MS)
        restart_begin(&worker->restart, worker->name,
                      "the model server does not answer", now_ms);
}

static void *run(void *user)
{
    struct worker *worker = user;

    pulse_init(&worker->pulse, clock_monotonic_ms());
    while (worker->state != ENDED) {
        receive(worker);
        tell_lacks(worker);
        look_after(worker, clock_monotonic_ms());
        if (atomic_load(&worker->drain) && worker->state != DRAINING)
            begin_drain(worker);
        if (uplink_is_open(worker->uplink))
            pulse_connection(&worker->pulse, uplink_stands(worker->uplink),
                             clock_monotonic_ms());
        if (worker->state != ENDED)
            steps[worker->state](worker, clock_monotonic_ms());
        flush(worker);
        if (worker->state != ENDED)
            wait_for_work(worker);
    }
    part(worker);
    restart_end(&worker->restart);
    drop_calls(worker, is_kept);
    log_info("worker-ended", "worker %s has ended", worker->name);
    atomic_store(&worker->ended, true);
    return NULL;
}

// ---- from outside

static bool set_name(struct worker *worker, const char *name, struct err *err)
{
    char host[64] = "worker";

    if (name != NULL && !text_is_utf8(name, strlen(name))) {
        err_set(err, ERR_INPUT, "the worker's name is not UTF-8 text");
        return false;
    }
    if (name != NULL && strlen(name) >= NAME_BYTES) {
        err_set(err, ERR_INPUT, "the worker's name is too long (over %d bytes)",
                NAME_BYTES - 1);
        return false;
    }
    if (name != NULL && name[0] != '\0') {
        memcpy(worker->name, name, strlen(name) + 1);
        return true;
    }
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
    uplink_free(worker->uplink);
    server_watch_free(worker->watch);
    model_client_free(worker->client);
    arena_release(&worker->arena);
    kept_prefixes_release(&worker->prefixes);
    buf_release(&worker->lacks);
    free(worker);
}

// What the worker talks with: its server and its coordinator.
static bool open_both_ends(struct worker *worker, void *context,
                           const struct worker_options *options,
                           struct err *err)
{
    struct server_watch_options watch = {.worker = worker->name,
                                         .url = worker->address.url,
                                         .digest = options->digest,
                                         .refusal = options->refusal,
                                         .look_ms = options->look_ms};

    worker->uplink = uplink_new(context, options->coordinator, worker->name,
                                options->key, err);
    if (worker->uplink != NULL)
        worker->client = model_client_new(&worker->address, err);
    watch.client = worker->client;
    if (worker->client != NULL)
        worker->watch = server_watch_new(&watch, err);
    return worker->watch != NULL;
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
    worker->address = options->address;
    worker->idle_ms = options->idle_ms;
    worker->guest = options->guest;
    worker->guest.port = reach_local_port(options->address.url);
    worker->restart.command = options->restart_cmd;
    worker->arena = ARENA_INIT(FRAME_ARENA_MAX);
    worker->prefixes = KEPT_PREFIXES_INIT;
    worker->lacks = BUF_INIT(WIRE_MAX_HELD * WIRE_LEASE_BYTES + 1);
    atomic_store(&worker->answered_ms, -1);
    atomic_store(&worker->turned_ms, clock_monotonic_ms());
    if (set_name(worker, options->name, err) &&
        open_both_ends(worker, context, options, err) &&
        start_thread(worker, err))
        return worker;
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
        .server_fails = server_watch_fails(worker->watch)};
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
