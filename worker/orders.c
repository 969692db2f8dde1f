#include "worker/orders.h"

#include <inttypes.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "wire/lease.h"
#include "worker/link.h"
#include "worker/work.h"

static void on_welcome(struct worker *worker, const struct message *message)
{
    const struct welcome *welcome = &message->as.welcome;
    char slots[TEXT_COUNTED_BYTES];

    if (worker->state != GREETING)
        return;
    worker->state = SERVING;
    worker->welcome_ms = clock_monotonic_ms();
    worker->busy_ms = 0; // a server that was away has lost its queue
    server_watch_look_soon(worker->watch);
    atomic_store(&worker->served, true);
    uplink_welcomed(worker->uplink, welcome);
    pulse_begin(&worker->pulse, welcome->heartbeat_ms, welcome->idle_ms,
                worker->welcome_ms);
    log_info("worker-joined", "worker %s serves %s with %s", welcome->name,
             uplink_endpoint(worker->uplink),
             text_counted(slots, worker->address.slots, "slot"));
}

// How often to send heartbeats depends on the number of workers.
static void on_heartbeat(struct worker *worker, const struct message *message)
{
    worker->pulse.idle_ms = message->as.heartbeat.idle_ms;
}

static void on_refused(struct worker *worker, const struct message *message)
{
    uplink_log_refused(worker->uplink, &message->as.refused);
    link_part(worker);
}

// Makes the call's prefix part of the worker's arena, since a held call has all
// its texts in its own arena. Returns false if the call cannot be taken, and so
// will be sent again (wire/prefixes.h). That happens at once if only its prefix
// is missing. Otherwise it happens when the heartbeats have not named the call,
// because sending it at once might fail for ever.
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

    pulse_has_call(&worker->pulse, clock_monotonic_ms());
    if (!own_prefix(worker, &own))
        return;
    if (held_find(&worker->held, call->id) != NULL ||
        (worker->state != GREETING && work_adopt(worker, call)))
        return;
    if (worker->state != SERVING)
        (void)link_send_fault(worker, call->id, FAULT_LOST,
                              "the worker is not taking calls now");
    else if (call->id < WIRE_PROOF_ID && work_count(worker) >= credit)
        (void)link_send_fault(
            worker, call->id, FAULT_BUSY,
            "the worker already holds all the calls that it can take");
    else if (server_watch_differs(worker->watch, call))
        (void)link_send_fault(
            worker, call->id, FAULT_MODEL,
            "the model here has a different digest from the job's");
    else if (held_add(&worker->held, call, &worker->arena) == NULL)
        (void)link_send_fault(worker, call->id, FAULT_BUSY, "no memory");
    else
        work_forget_durable(worker);
}

static void on_cancel(struct worker *worker, const struct message *message)
{
    struct held *held = held_find(&worker->held, message->as.cancel.id);

    if (held == NULL)
        return;
    link_drop(worker, held);
}

static void (*const handlers[MESSAGE_KIND_COUNT])(struct worker *,
                                                  const struct message *) = {
    [MESSAGE_WELCOME] = on_welcome, [MESSAGE_HEARTBEAT] = on_heartbeat,
    [MESSAGE_REFUSED] = on_refused, [MESSAGE_CALL] = on_call,
    [MESSAGE_CANCEL] = on_cancel,
};

static void handle(struct worker *worker, const struct message *message)
{
    pulse_heard(&worker->pulse, clock_monotonic_ms());
    if (handlers[message->kind] != NULL)
        handlers[message->kind](worker, message);
}

void orders_report_lacks(struct worker *worker)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT};

    message.as.heartbeat.lacks = worker->lacks.data;
    message.as.heartbeat.lacks_len = worker->lacks.len;
    message.as.heartbeat.idle_ms = worker->pulse.idle_ms;
    if (worker->lacks.len > 0 && !worker->lacks.failed &&
        worker->state == SERVING)
        (void)link_send(worker, &message);
    buf_clear(&worker->lacks);
}

void orders_receive(struct worker *worker)
{
    enum wire_got got = WIRE_NOTHING;
    struct message message;
    struct err err = ERR_CLEAR;

    while (uplink_is_open(worker->uplink)) {
        got = uplink_receive(worker->uplink, &worker->arena, &message, &err);
        if (got == WIRE_NOTHING)
            return;
        if (got == WIRE_FAILED) {
            link_lose(worker);
            return;
        }
        if (got == WIRE_MESSAGE)
            handle(worker, &message);
        else
            log_warn("bad-message", "worker %s: %s", worker->name, err.text);
        arena_release(&worker->arena);
    }
}
