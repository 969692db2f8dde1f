#include "coordinator/inbox.h"

#include <stdlib.h>

#include "common/log.h"
#include "coordinator/greeting.h"
#include "coordinator/inbox_calls.h"
#include "coordinator/inbox_state.h"

enum {
    BURST = 512,           // messages handled in one turn of the loop,
    BURST_BYTES = 4 << 20, // and their bytes
    STALL_MS = 1000,       // between two turns: then this process was slow or
                           // suspended
    IDLE_BEATS = 3, // heartbeats that a worker without calls may miss before it
                    // counts as silent
};

// --- heartbeats ---

// Notes how often the worker will send heartbeats. A peer that does not know
// about this sends 0, and keeps the fixed rhythm of older versions.
static void note_beat_interval(struct inbox *inbox, struct peer *peer,
                               int64_t ms)
{
    peer->idle_ms = ms < WIRE_HEARTBEAT_MS ? WIRE_HEARTBEAT_MS : ms;
    dispatch_set_silence(inbox->engine->dispatch, peer->worker->number,
                         IDLE_BEATS * peer->idle_ms);
}

// What a client sends arrives before its heartbeats. So if it waits, and there
// is nothing here that it may wait for, its SUBMIT or the RESULT was lost.
static void answer_waiting_client(struct inbox *inbox, struct peer *peer,
                                  const struct heartbeat *beat)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT,
                              .as.heartbeat = {.unknown = 1}};

    if (beat->waits != 0 && peer->watched == NULL && peer->submissions == 0 &&
        !assembly_is_under_way(peer->assembly))
        peers_tell(inbox->peers, peer, &message);
}

static void on_heartbeat(struct arrival *arrival)
{
    const struct heartbeat *beat = &arrival->message->as.heartbeat;
    const struct worker_info *worker = arrival->peer->worker;
    struct inbox *inbox = arrival->inbox;

    peers_note_connection(inbox->peers, arrival->peer);
    if (worker == NULL) {
        answer_waiting_client(inbox, arrival->peer, beat);
        return;
    }
    note_beat_interval(inbox, arrival->peer, beat->idle_ms);
    inbox_compare_calls(arrival, beat);
}

// --- coming, going, asking ---

static void on_hello(struct arrival *arrival)
{
    greeting_handle(arrival->inbox->peers, arrival->from,
                    &arrival->message->as.hello, arrival->now);
}

// A worker that drains still answers its open calls, and then says goodbye
// again.
static void on_goodbye(struct arrival *arrival)
{
    struct worker_info *worker = arrival->peer->worker;

    if (worker == NULL || arrival->message->as.goodbye.open == 0) {
        peers_remove(arrival->inbox->peers, arrival->peer, "left",
                     arrival->now);
        return;
    }
    worker_rows_note(&arrival->inbox->engine->worker_rows, worker, "draining",
                     arrival->now);
    dispatch_drain(arrival->inbox->engine->dispatch, worker->number);
}

static void on_submit(struct arrival *arrival)
{
    const struct inbox_handlers *handlers = &arrival->inbox->handlers;

    handlers->submitted(handlers->user, arrival->peer,
                        &arrival->message->as.submit, arrival->arena);
}

static void on_command(struct arrival *arrival)
{
    const struct inbox_handlers *handlers = &arrival->inbox->handlers;

    handlers->commanded(handlers->user, arrival->peer,
                        &arrival->message->as.command);
}

// --- messages ---

static void on_part(struct arrival *arrival);

// Handlers of the messages that a peer may send (message_may_come_from).
static void (*const message_handlers[MESSAGE_KIND_COUNT])(struct arrival *) = {
    [MESSAGE_HELLO] = on_hello,           [MESSAGE_HEARTBEAT] = on_heartbeat,
    [MESSAGE_ANSWER] = inbox_take_answer, [MESSAGE_FAULT] = inbox_take_fault,
    [MESSAGE_GOODBYE] = on_goodbye,       [MESSAGE_SUBMIT] = on_submit,
    [MESSAGE_COMMAND] = on_command,       [MESSAGE_PART] = on_part,
};

static void handle_stranger(struct arrival *arrival)
{
    if (arrival->message->kind == MESSAGE_HELLO) {
        on_hello(arrival);
        return;
    }
    peers_ask_to_greet(arrival->inbox->peers, arrival->from);
    log_debug("not-greeted", "a peer that has not greeted sent %s",
              message_kind_name(arrival->message->kind));
}

// Returns true if the peer may send that now; if not, it is cut off.
static bool is_allowed(struct arrival *arrival, enum message_kind kind)
{
    struct peer *peer = arrival->peer;

    if (!message_may_come_from(kind, peer->role == PEER_WORKER ? FROM_WORKER
                                                               : FROM_CLIENT)) {
        peers_cut_off(arrival->inbox->peers, peer,
                      "it sends messages that its role may not send",
                      arrival->now);
        return false;
    }
    if (!token_bucket_take(&peer->messages, message_tokens(kind),
                           arrival->now)) {
        peers_cut_off(arrival->inbox->peers, peer,
                      "it sends far more than it was asked for", arrival->now);
        return false;
    }
    return true;
}

static void handle(struct arrival *arrival)
{
    enum message_kind kind = arrival->message->kind;
    struct peer *peer = arrival->peer;

    if (!is_allowed(arrival, kind))
        return;
    peer->heard_ms = arrival->now;
    if (peer->worker != NULL) {
        peer->worker->away = false;
        dispatch_heard(arrival->inbox->engine->dispatch, peer->worker->number,
                       arrival->now);
    }
    message_handlers[kind](arrival);
}

// A sender of nonsense cannot be trusted with calls. If it was a peer, it is
// removed.
static void refuse_nonsense(const struct arrival *arrival,
                            const struct err *why)
{
    struct peers *peers = arrival->inbox->peers;
    struct peer *peer = peers_find(peers, arrival->from);

    peers_refuse(peers, arrival->from, peers_name(peer), "frame", why->text);
    if (peer != NULL)
        peers_remove(peers, peer, "lost", arrival->now);
}

// Receives the next message of a frame, or of a message that came in parts.
// Returns false if it is not a message; then its sender is forgotten.
static bool receive_message(struct arrival *arrival, struct wire_frame *frame)
{
    struct arena arena = ARENA_INIT(4 * (size_t)WIRE_MAX_BYTES);
    struct err err = ERR_CLEAR;
    struct message message;
    bool ok = message_take(frame, &arena, &message, &err);

    arrival->message = &message;
    arrival->arena = &arena;
    if (!ok)
        refuse_nonsense(arrival, &err);
    else if (arrival->peer == NULL)
        handle_stranger(arrival);
    else
        handle(arrival);
    arena_release(&arena);
    return ok;
}

// Receives all messages of a frame, up to one that ends the peer, and returns
// how many there were. What a stranger says after a message that is not HELLO
// is ignored.
static int receive_frame(struct arrival *arrival, struct wire_frame frame)
{
    int n = 1;

    while (receive_message(arrival, &frame) && frame.len > 0) {
        arrival->peer = peers_find(arrival->inbox->peers, arrival->from);
        arrival->part_bytes = 0;
        if (arrival->peer == NULL)
            break;
        n++;
    }
    return n;
}

// --- long messages ---

// Makes room for a long message by cutting off peers whose message has stalled.
static bool find_room(struct inbox *inbox, const struct peer *peer,
                      size_t bytes, int64_t now)
{
    while (!assemblies_have_room(&inbox->assemblies, bytes)) {
        struct assembly *idle =
            assemblies_stalled(&inbox->assemblies, peer->assembly, now);

        if (idle == NULL)
            return false;
        peers_cut_off(inbox->peers, assembly_owner(idle),
                      "its long message has stalled", now);
    }
    return true;
}

// Returns false if the peer is gone.
static bool add_part(struct arrival *arrival, const struct part *part)
{
    struct inbox *inbox = arrival->inbox;
    struct peer *peer = arrival->peer;
    struct err err = ERR_CLEAR;

    if (peer->assembly == NULL)
        peer->assembly = assembly_new(&inbox->assemblies, peer);
    if (peer->assembly == NULL ||
        !find_room(inbox, peer, part->len, arrival->now)) {
        peers_refuse(
            inbox->peers, arrival->from, peers_name(peer), "full",
            "this coordinator is already receiving as many long messages as "
            "it can: try again later");
        peers_remove(inbox->peers, peer, "lost", arrival->now);
        return false;
    }
    if (assembly_add(peer->assembly, part, arrival->now, &err))
        return true;
    refuse_nonsense(arrival, &err);
    return false;
}

// Takes a message that came in PARTs, which must be the only one: the bucket of
// bytes is refilled for one answer, not for each of several.
static void receive_single(struct arrival *arrival, struct wire_frame frame)
{
    struct err err = ERR_CLEAR;

    if (!receive_message(arrival, &frame) || frame.len == 0)
        return;
    err_set(&err, ERR_PROTOCOL, "%zu bytes follow the message", frame.len);
    refuse_nonsense(arrival, &err);
}

// Takes a long message that is complete. Decoding a job of 48 MiB takes as long
// as 1,000 answers, so that is left to the thread that reads the job.
static void receive_whole(struct arrival *arrival, struct buf *bytes)
{
    const struct inbox_handlers *handlers = &arrival->inbox->handlers;
    struct wire_frame frame = {.data = bytes->data, .len = bytes->len};

    if (!message_is(bytes->data, bytes->len, MESSAGE_SUBMIT))
        receive_single(arrival, frame);
    else if (is_allowed(arrival, MESSAGE_SUBMIT))
        handlers->submitted_long(handlers->user, arrival->peer, bytes);
}

static void on_part(struct arrival *arrival)
{
    const struct part *part = &arrival->message->as.part;
    struct inbox *inbox = arrival->inbox;
    struct peer *peer = arrival->peer;
    struct buf whole = BUF_INIT(0);

    if (arrival->part_bytes > 0) {
        peers_cut_off(inbox->peers, peer, "it sends parts of parts",
                      arrival->now);
        return;
    }
    if (!token_bucket_take(&peer->bytes, (int64_t)part->len, arrival->now)) {
        peers_cut_off(inbox->peers, peer,
                      "it sends more and longer messages than it may",
                      arrival->now);
        return;
    }
    if (!add_part(arrival, part) || !assembly_take(peer->assembly, &whole))
        return;
    // Free the assembly first: the message itself may end the peer.
    assembly_free(peer->assembly);
    peer->assembly = NULL;
    arrival->part_bytes = whole.len;
    receive_whole(arrival, &whole);
    buf_release(&whole);
}

// --- receiving ---

// Returns true if a stranger's frame should be looked at.
static bool is_admitted(struct inbox *inbox, size_t bytes, int64_t now)
{
    return connections_admit(inbox->connections, wire_source(inbox->socket),
                             bytes, now);
}

// Returns true if some of what workers have said may still be unread. After a
// stall, it may still be on its way through ZeroMQ's own thread.
static bool is_behind(struct inbox *inbox, bool drained, int64_t now)
{
    if (inbox->received_ms > 0 && now - inbox->received_ms > STALL_MS)
        inbox->stalled_ms = now;
    inbox->received_ms = now;
    return !drained ||
           (inbox->stalled_ms > 0 && now - inbox->stalled_ms < STALL_MS);
}

// Returns true if the frame came over a connection with another key than the
// peer's: somebody has taken the peer's identity, and the frame is not the
// peer's.
static bool is_impostor(struct inbox *inbox, const struct peer *peer)
{
    if (peer == NULL || listener_has_key(inbox->listener, peer->key))
        return false;
    log_warn("peer-refused",
             "role: the identity of %s is used with another key",
             peers_name(peer));
    return true;
}

void inbox_receive(struct inbox *inbox, int64_t now)
{
    bool drained = false;
    size_t bytes = 0;

    for (int n = 0; n < BURST && bytes < BURST_BYTES; n++) {
        struct err err = ERR_CLEAR;
        struct wire_id from;
        struct wire_frame frame;
        enum wire_got got = wire_take(inbox->socket, &from, &frame, &err);
        struct arrival arrival = {.inbox = inbox, .from = &from, .now = now};

        if (got == WIRE_NOTHING || got == WIRE_FAILED) {
            drained = true;
            break;
        }
        bytes += frame.len;
        arrival.peer = peers_find(inbox->peers, &from);
        if (arrival.peer == NULL && !is_admitted(inbox, frame.len, now))
            continue;
        if (is_impostor(inbox, arrival.peer))
            continue;
        if (got == WIRE_BAD)
            refuse_nonsense(&arrival, &err);
        else
            n += receive_frame(&arrival, frame) - 1;
    }
    dispatch_set_behind(inbox->engine->dispatch,
                        is_behind(inbox, drained, now));
    assemblies_tick(&inbox->assemblies, now);
    peers_tend(inbox->peers, now);
}

// --- life ---

struct inbox *inbox_new(struct peers *peers,
                        const struct inbox_handlers *handlers, struct err *err)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);

    if (inbox == NULL) {
        err_nomem(err, "the inbox");
        return NULL;
    }
    inbox->peers = peers;
    inbox->engine = peers_engine(peers);
    inbox->listener = peers_listener(peers);
    inbox->socket = listener_socket(inbox->listener);
    inbox->connections = listener_connections(inbox->listener);
    inbox->handlers = *handlers;
    return inbox;
}

void inbox_free(struct inbox *inbox)
{
    free(inbox);
}
