#include "coordinator/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "common/text.h"
#include "coordinator/flight.h"
#include "store/history.h"

enum { LINK_BURST = 512 }; // frames handled in one turn of the loop

// --- peers ---

// Made for every frame that comes in, and of some 20 bytes: SipHash takes a
// tenth of the time of hash_of, and 128 bits of it do not collide by chance.
static struct hash id_key(const struct wire_id *id)
{
    static const unsigned char key[crypto_shorthash_siphashx24_KEYBYTES] =
        "promptcc's peer";
    struct hash hash;

    (void)crypto_shorthash_siphashx24(hash.bytes, id->bytes, id->len, key);
    return hash;
}

static struct peer *find_peer(const struct link *link, const struct wire_id *id)
{
    struct hash key = id_key(id);

    return map_find(&link->by_id, &key);
}

static struct peer *find_worker(const struct link *link, int32_t number)
{
    struct hash key = map_number(number);

    return map_find(&link->by_worker, &key);
}

struct peer *link_find(const struct link *link, const struct wire_id *id,
                       int64_t epoch)
{
    struct peer *peer = find_peer(link, id);

    return peer != NULL && peer->epoch == epoch ? peer : NULL;
}

static void unlink_peer(struct link *link, struct peer *peer)
{
    struct hash key = id_key(&peer->id);
    struct peer **at = &link->peers;

    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    map_remove(&link->by_id, &key);
    if (peer->worker != NULL) {
        key = map_number(peer->worker->number);
        map_remove(&link->by_worker, &key);
    }
}

static void note_worker(struct link *link, const struct worker_info *worker,
                        const char *state)
{
    json_t *list = json_array();
    struct history_worker row = {.name = worker->name,
                                 .state = state,
                                 .server = worker->server,
                                 .slots = worker->slots,
                                 .calls = worker->calls,
                                 .last_fault = worker->last_fault};
    char *models;

    for (size_t i = 0; i < worker->n_models; i++)
        json_array_append_new(list, json_string(worker->models[i].name));
    models = json_text(list);
    row.models = models == NULL ? "[]" : models;
    history_put_worker(link->engine->store, &row, NULL);
    json_decref(list);
    free(models);
}

// A worker's calls go back to the queue.
static void send_home(struct engine *engine, int32_t worker, int64_t now)
{
    dispatch_leave(engine->dispatch, worker, now);
    workers_leave(&engine->workers, worker);
}

static void remove_peer(struct link *link, struct peer *peer, const char *state,
                        int64_t now)
{
    unlink_peer(link, peer);
    if (peer->worker != NULL) {
        note_worker(link, peer->worker, state);
        send_home(link->engine, peer->worker->number, now);
    }
    free(peer);
}

static struct peer *add_peer(struct link *link, const struct wire_id *id,
                             const struct hello *hello,
                             struct worker_info *worker, struct err *err)
{
    struct peer *peer = calloc(1, sizeof *peer);
    struct hash key = id_key(id);
    struct hash number = {0};

    if (peer == NULL || !map_put(&link->by_id, &key, peer))
        goto nomem;
    if (worker != NULL) {
        number = map_number(worker->number);
        if (!map_put(&link->by_worker, &number, peer)) {
            map_remove(&link->by_id, &key);
            goto nomem;
        }
    }
    *peer = (struct peer){.id = *id,
                          .role = (enum peer_role)hello->role,
                          .epoch = hello->epoch,
                          .worker = worker,
                          .next = link->peers};
    link->peers = peer;
    return peer;

nomem:
    free(peer);
    err_nomem(err, "a peer");
    return NULL;
}

bool link_tell(struct link *link, const struct peer *peer,
               const struct message *message)
{
    struct err err = ERR_CLEAR;

    if (wire_send(link->socket, &peer->id, message, &err))
        return true;
    log_info("send-failed", "%s to a peer: %s",
             message_kind_name(message->kind), err.text);
    return false;
}

static void refuse(struct link *link, const struct wire_id *id,
                   const char *code, const char *text)
{
    struct message message = {.kind = MESSAGE_REFUSED,
                              .as.refused = {.code = code, .text = text}};

    wire_send(link->socket, id, &message, NULL);
    log_warn("peer-refused", "%s: %s", code, text);
}

// --- handlers ---

struct arrival {
    struct link *link;
    const struct link_handlers *handlers;
    const struct wire_id *from;
    struct peer *peer;   // NULL before HELLO
    struct arena *arena; // of the message
    const struct message *message;
    int64_t now;
};

static void welcome(struct link *link, const struct peer *peer)
{
    struct message message = {.kind = MESSAGE_WELCOME,
                              .as.welcome = {.heartbeat_ms = WIRE_HEARTBEAT_MS,
                                             .name = peer->worker == NULL
                                                         ? "client"
                                                         : peer->worker->name}};

    link_tell(link, peer, &message);
}

static void on_hello(struct arrival *arrival)
{
    const struct hello *hello = &arrival->message->as.hello;
    struct engine *engine = arrival->link->engine;
    struct worker_info *worker = NULL;
    struct err err = ERR_CLEAR;
    struct peer *peer;

    if (hello->version != WIRE_VERSION) {
        refuse(arrival->link, arrival->from, "version",
               "this coordinator speaks another version of the protocol: "
               "install the same promptcc on both sides");
        return;
    }
    if (arrival->peer != NULL && arrival->peer->epoch == hello->epoch) {
        welcome(arrival->link, arrival->peer);
        return;
    }
    if (arrival->peer != NULL)
        remove_peer(arrival->link, arrival->peer, "lost", arrival->now);
    if (hello->role == PEER_WORKER)
        worker = workers_join(&engine->workers, hello, &engine->models,
                              engine->dispatch, arrival->now, &err);
    peer = worker == NULL && hello->role == PEER_WORKER
               ? NULL
               : add_peer(arrival->link, arrival->from, hello, worker, &err);
    if (peer == NULL) {
        if (worker != NULL)
            send_home(engine, worker->number, arrival->now);
        refuse(arrival->link, arrival->from, "full", err.text);
        return;
    }
    welcome(arrival->link, peer);
    if (worker != NULL) {
        note_worker(arrival->link, worker, "serving");
        log_info("worker-joined", "%s: %s, %" PRId64 " slots, %zu models",
                 worker->name, worker->server, worker->slots, worker->n_models);
    }
}

static void on_heartbeat(struct arrival *arrival)
{
    (void)arrival; // any frame counts as a sign of life
}

static void on_answer(struct arrival *arrival)
{
    const struct answer_message *message = &arrival->message->as.answer;
    struct engine *engine = arrival->link->engine;
    struct worker_info *worker = arrival->peer->worker;
    struct call_answer answer = message->answer;
    struct flight *flight;
    int64_t call;

    if (!dispatch_done(engine->dispatch, worker->number, message->id,
                       arrival->now, &call))
        return;
    worker->calls++;
    flight = flights_by_id(&engine->flights, call);
    if (flight == NULL) {
        dispatch_credit(engine->dispatch, worker->number, message->id,
                        arrival->now);
        return;
    }
    flight->worker = worker->number;
    flight->lease = message->id;
    arrival->handlers->answered(arrival->handlers->user, flight, worker,
                                &answer);
}

static void on_fault(struct arrival *arrival)
{
    const struct fault_message *fault = &arrival->message->as.fault;
    struct worker_info *worker = arrival->peer->worker;

    worker->faults++;
    text_print(worker->last_fault, sizeof worker->last_fault, "%s: %.140s",
               call_fault_name((enum call_fault)fault->fault), fault->text);
    log_info("call-fault", "worker %s: %s", worker->name, worker->last_fault);
    dispatch_fault(arrival->link->engine->dispatch, worker->number, fault->id,
                   (enum call_fault)fault->fault, arrival->now);
}

// A worker that drains still answers what it has open, and then says goodbye
// again.
static void on_goodbye(struct arrival *arrival)
{
    struct worker_info *worker = arrival->peer->worker;

    if (worker == NULL || arrival->message->as.goodbye.open == 0) {
        remove_peer(arrival->link, arrival->peer, "left", arrival->now);
        return;
    }
    note_worker(arrival->link, worker, "draining");
    dispatch_drain(arrival->link->engine->dispatch, worker->number);
}

static void on_submit(struct arrival *arrival)
{
    arrival->handlers->submitted(arrival->handlers->user, arrival->peer,
                                 &arrival->message->as.submit, arrival->arena);
}

static void on_command(struct arrival *arrival)
{
    arrival->handlers->commanded(arrival->handlers->user, arrival->peer,
                                 &arrival->message->as.command);
}

// Who may send what. Other kinds are for the other direction.
static const struct handler {
    bool worker, client;
    void (*handle)(struct arrival *arrival);
} message_handlers[MESSAGE_KIND_COUNT] = {
    [MESSAGE_HEARTBEAT] = {true, true, on_heartbeat},
    [MESSAGE_ANSWER] = {true, false, on_answer},
    [MESSAGE_FAULT] = {true, false, on_fault},
    [MESSAGE_GOODBYE] = {true, true, on_goodbye},
    [MESSAGE_SUBMIT] = {false, true, on_submit},
    [MESSAGE_COMMAND] = {false, true, on_command},
};

static bool may_send(const struct peer *peer, enum message_kind kind)
{
    const struct handler *handler = &message_handlers[kind];

    return handler->handle != NULL &&
           (peer->role == PEER_WORKER ? handler->worker : handler->client);
}

static void handle(struct arrival *arrival)
{
    enum message_kind kind = arrival->message->kind;

    if (kind == MESSAGE_HELLO) {
        on_hello(arrival);
        return;
    }
    if (arrival->peer == NULL) {
        refuse(arrival->link, arrival->from, "hello", "greet with HELLO first");
        return;
    }
    if (!may_send(arrival->peer, kind)) {
        log_warn("bad-kind", "a peer sent %s", message_kind_name(kind));
        return;
    }
    if (arrival->peer->worker != NULL)
        dispatch_heard(arrival->link->engine->dispatch,
                       arrival->peer->worker->number, arrival->now);
    message_handlers[kind].handle(arrival);
}

// A worker that sends nonsense is not to be trusted with calls.
static void drop_babbler(struct link *link, const struct wire_id *from,
                         const struct err *why, int64_t now)
{
    struct peer *peer = find_peer(link, from);

    refuse(link, from, "frame", why->text);
    if (peer != NULL)
        remove_peer(link, peer, "lost", now);
}

void link_receive(struct link *link, const struct link_handlers *handlers,
                  int64_t now)
{
    struct arena arena = ARENA_INIT(4 * (size_t)WIRE_MAX_BYTES);

    for (int i = 0; i < LINK_BURST; i++) {
        struct err err = ERR_CLEAR;
        struct message message;
        struct wire_id from;
        enum wire_got got =
            wire_receive(link->socket, &from, &arena, &message, &err);
        struct arrival arrival = {.link = link,
                                  .handlers = handlers,
                                  .from = &from,
                                  .arena = &arena,
                                  .message = &message,
                                  .now = now};

        if (got == WIRE_NOTHING || got == WIRE_FAILED)
            break;
        arrival.peer = find_peer(link, &from);
        if (got == WIRE_BAD)
            drop_babbler(link, &from, &err, now);
        else
            handle(&arrival);
        arena_release(&arena);
    }
    arena_release(&arena);
}

// --- sending ---

void link_beat(struct link *link, int64_t now)
{
    struct message beat = {.kind = MESSAGE_HEARTBEAT};

    if (now - link->beat_ms < WIRE_HEARTBEAT_MS)
        return;
    link->beat_ms = now;
    for (struct peer *peer = link->peers, *next; peer != NULL; peer = next) {
        struct err err = ERR_CLEAR;

        next = peer->next;
        // A client that is gone has nothing to come back; a worker is lost
        // when dispatch says so.
        if (!wire_send(link->socket, &peer->id, &beat, &err) &&
            err.code == ERR_IO && peer->role == PEER_CLIENT)
            remove_peer(link, peer, "left", now);
    }
}

void link_send_call(struct link *link, const struct action *action,
                    const struct flight *flight, int64_t now)
{
    struct engine *engine = link->engine;
    struct peer *peer = find_worker(link, action->worker);
    const struct model_entry *model =
        &engine->models.entries[flight->order.model];
    struct message message = {.kind = MESSAGE_CALL};
    struct err err = ERR_CLEAR;

    message.as.call = (struct call_message){
        .id = action->lease,
        .timeout_ms = flight->timeout_ms,
        .digest = models_worker_digest(model->digest),
        .request = {.model = model->name,
                    .prefix = flight->order.prefix->text,
                    .prefix_len = flight->order.prefix->len,
                    .tail = flight->order.ask.payload,
                    .tail_len = flight->order.ask.payload_len,
                    .format = flight->order.prefix->format,
                    .options = flight->order.options}};
    if (peer == NULL)
        return;
    if (wire_send(link->socket, &peer->id, &message, &err))
        return;
    log_warn("worker-unreachable", "%s: %s", peer->worker->name, err.text);
    remove_peer(link, peer, "lost", now);
}

void link_cancel(struct link *link, const struct action *action)
{
    struct peer *peer = find_worker(link, action->worker);
    struct message message = {.kind = MESSAGE_CANCEL,
                              .as.cancel = {.id = action->lease}};

    if (peer != NULL)
        wire_send(link->socket, &peer->id, &message, NULL);
}

void link_drop(struct link *link, int32_t worker, int64_t now)
{
    struct peer *peer = find_worker(link, worker);

    if (peer == NULL)
        return;
    log_warn("worker-lost", "%s: no sign of life for %d s", peer->worker->name,
             WIRE_HEARTBEAT_MS * WIRE_LIVENESS / 1000);
    remove_peer(link, peer, "lost", now);
}

void link_unwatch(struct link *link, const struct running_job *running)
{
    for (struct peer *peer = link->peers; peer != NULL; peer = peer->next)
        if (peer->watched == running)
            peer->watched = NULL;
}

// --- life ---

bool link_open(struct link *link, struct engine *engine, void *zmq,
               const char *endpoint, struct err *err)
{
    *link = (struct link){.engine = engine};
    link->socket = wire_bind(zmq, endpoint, err);
    return link->socket != NULL;
}

void link_close(struct link *link)
{
    while (link->peers != NULL) {
        struct peer *next = link->peers->next;

        free(link->peers);
        link->peers = next;
    }
    map_release(&link->by_id);
    map_release(&link->by_worker);
    wire_close(link->socket);
    link->socket = NULL;
}
