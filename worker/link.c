#include "worker/link.h"

#include "common/clock.h"

void link_drop(struct worker *worker, struct held *held)
{
    if (held->open)
        model_cancel(worker->client, held->number);
    held_remove(&worker->held, held);
}

// Without a coordinator the leases are gone. Calls that are open at the server
// or answered are already paid for, so they are kept in case the next
// coordinator asks the same.
static void keep_calls(struct worker *worker)
{
    struct held *next = NULL;

    for (struct held *at = worker->held.first; at != NULL; at = next) {
        next = at->next;
        if (at->sent)
            held_set_sent(&worker->held, at, false);
        if (at->call.key_len != WIRE_KEY_BYTES || !(at->open || at->answered))
            link_drop(worker, at);
        else if (!at->kept)
            held_keep(&worker->held, at);
    }
}

void link_drop_calls(struct worker *worker, held_test *concerns)
{
    struct held *next = NULL;

    for (struct held *at = worker->held.first; at != NULL; at = next) {
        next = at->next;
        if (concerns(at))
            link_drop(worker, at);
    }
}

void link_part(struct worker *worker)
{
    keep_calls(worker);
    uplink_close(worker->uplink, clock_monotonic_ms());
    kept_prefixes_release(&worker->prefixes);
    worker->state = APART;
}

void link_lose(struct worker *worker)
{
    if (worker->state == GREETING)
        uplink_log_unanswered(worker->uplink);
    else
        uplink_log_lost(worker->uplink);
    link_part(worker);
}

bool link_send(struct worker *worker, const struct message *message)
{
    bool ok = uplink_send(worker->uplink, message);

    if (!ok)
        link_lose(worker);
    return ok;
}

void link_flush(struct worker *worker)
{
    if (!uplink_flush(worker->uplink))
        link_lose(worker);
}

bool link_send_fault(struct worker *worker, int64_t id, enum call_fault fault,
                     const char *text)
{
    struct message message = {.kind = MESSAGE_FAULT};

    message.as.fault.id = id;
    message.as.fault.fault = fault;
    message.as.fault.text = text;
    return link_send(worker, &message);
}

bool link_send_heartbeat(struct worker *worker)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT};
    struct heartbeat *beat = &message.as.heartbeat;
    char held[WIRE_MAX_HELD * WIRE_LEASE_BYTES];

    if (worker->held.n <= WIRE_MAX_HELD) {
        beat->held = held;
        beat->held_len = held_list_leases(&worker->held, held);
    }
    beat->idle_ms = worker->pulse.idle_ms;
    return link_send(worker, &message);
}

bool link_send_goodbye(struct worker *worker, size_t n_open)
{
    struct message message = {.kind = MESSAGE_GOODBYE};

    message.as.goodbye.open = (int64_t)n_open;
    return link_send(worker, &message);
}

bool link_hand_back(struct worker *worker, held_test *concerns, const char *why)
{
    struct held *next = NULL;

    for (struct held *at = worker->held.first; at != NULL; at = next) {
        next = at->next;
        if (!concerns(at))
            continue;
        int64_t id = at->call.id;
        link_drop(worker, at);
        if (!link_send_fault(worker, id, FAULT_LOST, why))
            return false;
    }
    return true;
}

void link_leave(struct worker *worker, const char *why)
{
    if (link_hand_back(worker, held_has_lease, why) &&
        link_send_goodbye(worker, 0))
        link_part(worker);
}
