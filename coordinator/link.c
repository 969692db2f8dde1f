#include "coordinator/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "common/text.h"
#include "common/utf8.h"
#include "common/vector.h"
#include "coordinator/flight.h"
#include "coordinator/kept_calls.h"
#include "coordinator/side_call.h"
#include "store/history.h"

enum {
    LINK_BURST = 512,           // messages handled in one turn of the loop, and
    LINK_BURST_BYTES = 4 << 20, // bytes

    // Tokens for what a peer may say unasked: so many at once, and so many a
    // second. message_tokens says what each kind of message takes.
    MESSAGES_BURST = 256, // and two for each slot of a worker
    MESSAGES_PER_S = 64,

    // Of messages in PARTs. A peer's bucket holds the longest message.
    PART_BURST = WIRE_MAX_BYTES + (WIRE_MAX_BYTES >> 2),
    PART_BYTES_PER_S = 2 << 20,

    STALL_MS = 1000, // between two turns: then this program was slow, or halted

    // A worker hears a heartbeat that often, or as seldom as it beats itself.
    WORKER_BEAT_MS = 4 * WIRE_HEARTBEAT_MS,
    // Each worker adds so much to the time between two heartbeats of one that
    // holds no call: of 5,000 of them, some 140 come in a second.
    IDLE_MS_EACH = 8,
    IDLE_BEATS = 3, // missed ones of such a worker until it is silent

    // Bytes sent to a client, or to all of them, that they have not read. A
    // client's are at least the longest RESULT and a REPLY.
    UNREAD_MOST = WIRE_MAX_BYTES + WIRE_MAX_TEXT,
    UNREAD_OF_ALL = 256 << 20,
    UNREAD_SHORT = 64 << 10, // shorter messages are not worth adding up all
    BROKEN_A_TURN = 64,      // connections; each looks for its peer among all

    ANSWER_BYTES = 256 << 10, // of an answer, the widest embedding among them,
    ANSWER_TOKEN_BYTES = 1 << 10, // and for each token that was asked for

    CLIENTS_MOST = 512,
    CLIENT_MS = 30000, // of silence; a client that waits beats every second

    NOTES_BURST = 256, // rows about workers for the store
    NOTES_PER_S = 8,
};

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

// What was in its outbox is lost, as it may be on the network.
static void drop_outbox(struct link *link, struct peer *peer)
{
    struct peer **at = &link->to_flush;

    while (*at != NULL && *at != peer)
        at = &(*at)->next_to_flush;
    if (*at != NULL)
        *at = peer->next_to_flush;
    outbox_release(&peer->outbox);
}

static void unlink_peer(struct link *link, struct peer *peer)
{
    struct hash key = id_key(&peer->id);

    if (peer->before == NULL)
        link->peers = peer->next;
    else
        peer->before->next = peer->next;
    if (peer->next != NULL)
        peer->next->before = peer->before;
    map_remove(&link->by_id, &key);
    if (peer->role == PEER_CLIENT)
        link->n_clients--;
    if (peer->worker != NULL) {
        key = map_number(peer->worker->number);
        map_remove(&link->by_worker, &key);
    }
    if (peer->instance != 0) {
        key = map_number(peer->instance);
        map_remove(&link->by_instance, &key);
    }
}

static void put_worker(struct link *link, const struct worker_info *worker,
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

// The store keeps a row for each name. Workers that never answered a call may
// be anybody's invention, so that few of them are noted at once.
static void note_worker(struct link *link, struct worker_info *worker,
                        const char *state, int64_t now)
{
    if (worker->calls == 0 && !worker->noted &&
        !token_bucket_take(&link->notes, 1, now))
        return;
    worker->noted = true;
    put_worker(link, worker, state);
}

// A worker's calls go back to the queue.
static void send_home(struct engine *engine, int32_t worker, int64_t now)
{
    dispatch_leave(engine->dispatch, worker, now);
    proofs_forget_worker(engine, worker);
    workers_leave(&engine->workers, worker);
}

static void remove_peer(struct link *link, struct peer *peer, const char *state,
                        int64_t now)
{
    unlink_peer(link, peer);
    assembly_free(peer->assembly);
    drop_outbox(link, peer);
    connections_parted(link->connections, peer->fd, peer->number, now);
    if (peer->worker != NULL) {
        log_info("worker-left", "%s (%s)", peer->worker->name, state);
        note_worker(link, peer->worker, state, now);
        send_home(link->engine, peer->worker->number, now);
    }
    free(peer);
}

// The peer is a nuisance: it goes, and its connection with it. Whatever it
// still sent is ignored (connections_admit).
static void cut_off(struct link *link, struct peer *peer, const char *why,
                    int64_t now)
{
    log_warn("peer-cut-off", "%s %s: %s",
             peer->worker == NULL ? "a client" : "worker",
             peer->worker == NULL ? "" : peer->worker->name, why);
    if (peer->fd >= 0)
        connections_close(link->connections, peer->fd, peer->number);
    remove_peer(link, peer, "lost", now);
}

// The connection that the peer speaks over now: it may have broken and come
// back under the same identity, and what was on its way is lost.
static void note_connection(struct link *link, struct peer *peer)
{
    int before = peer->fd;

    peer->fd = wire_source(link->socket);
    if (peer->fd != before)
        known_prefixes_forget(&peer->prefixes);
    connections_greeted(link->connections, peer->fd, peer->number);
}

// A worker without calls may not be heard for long: one whose connection broke
// has to show that it lives. It does so within a second of being back.
static void note_broken(struct link *link, int64_t now)
{
    int fd;
    int64_t number;

    for (int i = 0; i < BROKEN_A_TURN; i++) {
        const struct peer *peer = link->peers;

        if (!connections_broken(link->connections, &fd, &number))
            return;
        while (peer != NULL && peer->number != number)
            peer = peer->next;
        if (peer != NULL && peer->worker != NULL && peer->fd == fd)
            dispatch_suspect(link->engine->dispatch, peer->worker->number, now);
    }
}

// From now on it is known by its instance. Without memory, or where another
// key has that instance, it goes by its identity alone.
static void note_instance(struct link *link, struct peer *peer,
                          const struct hello *hello)
{
    struct hash key = map_number(hello->instance);

    if (peer->worker == NULL || hello->instance == 0 ||
        map_find(&link->by_instance, &key) != NULL ||
        !map_put(&link->by_instance, &key, peer))
        return;
    peer->instance = hello->instance;
    peer->greeting = hello->greeting;
}

static struct peer *add_peer(struct link *link, const struct wire_id *id,
                             const struct hello *hello,
                             struct worker_info *worker, int64_t now,
                             struct err *err)
{
    int64_t slots = worker == NULL ? 0 : worker->slots;
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
    *peer = (struct peer){
        .number = ++link->last_peer,
        .id = *id,
        .role = (enum peer_role)hello->role,
        .epoch = hello->epoch,
        .worker = worker,
        .heard_ms = now,
        .messages =
            token_bucket_full(MESSAGES_BURST + 2 * slots, MESSAGES_PER_S, now),
        .bytes = token_bucket_full(PART_BURST, PART_BYTES_PER_S, now),
        .several = hello->several != 0,
        .outbox = OUTBOX_INIT,
        .prefixes.room = (size_t)hello->prefixes,
        .next = link->peers};
    if (peer->next != NULL)
        peer->next->before = peer;
    link->peers = peer;
    // Not to all that came at once in the same second.
    if (worker != NULL)
        peer->beat_ms = now + peer->number * WIRE_HEARTBEAT_MS % WORKER_BEAT_MS;
    if (peer->role == PEER_CLIENT)
        link->n_clients++;
    (void)text_print(peer->key, sizeof peer->key, "%s",
                     wire_peer_key(link->socket));
    note_connection(link, peer);
    note_instance(link, peer, hello);
    return peer;

nomem:
    free(peer);
    err_nomem(err, "a peer");
    return NULL;
}

// The client that has left the most unread is to go, when all of them together
// leave too much.
static void weigh_unread(struct link *link)
{
    struct peer *worst = NULL;
    size_t all = 0, most = 0;

    for (struct peer *peer = link->peers; peer != NULL; peer = peer->next) {
        size_t unread = peer->role != PEER_CLIENT || peer->glutted
                            ? 0
                            : connections_untaken(link->connections, peer->fd,
                                                  peer->number);

        all += unread;
        if (unread > most) {
            most = unread;
            worst = peer;
        }
    }
    if (all > UNREAD_OF_ALL && worst != NULL)
        worst->glutted = link->glutted = true;
}

static void note_sent(struct link *link, struct peer *peer)
{
    size_t bytes = wire_sent_bytes(link->socket);
    size_t unread =
        connections_gave(link->connections, peer->fd, peer->number, bytes);

    if (unread > UNREAD_MOST)
        peer->glutted = link->glutted = true;
    else if (bytes > UNREAD_SHORT)
        weigh_unread(link);
}

bool link_tell(struct link *link, struct peer *peer,
               const struct message *message)
{
    struct err err = ERR_CLEAR;

    if (peer->glutted)
        return false;
    if (wire_send(link->socket, &peer->id, message, &err)) {
        note_sent(link, peer);
        return true;
    }
    log_info("send-failed", "%s to a peer: %s",
             message_kind_name(message->kind), err.text);
    return false;
}

// Not at once: whoever tells several peers something goes through their list.
static void drop_glutted(struct link *link, int64_t now)
{
    if (!link->glutted)
        return;
    link->glutted = false;
    for (struct peer *peer = link->peers, *next; peer != NULL; peer = next) {
        next = peer->next;
        if (peer->glutted)
            cut_off(link, peer, "it does not read what it asks for", now);
    }
}

static void send_refused(struct link *link, const struct wire_id *id,
                         const char *code, const char *text)
{
    struct message message = {.kind = MESSAGE_REFUSED,
                              .as.refused = {.code = code, .text = text}};

    wire_send(link->socket, id, &message, NULL);
}

static void refuse(struct link *link, const struct wire_id *id,
                   const char *code, const char *text)
{
    send_refused(link, id, code, text);
    log_warn("peer-refused", "%s: %s", code, text);
}

// --- heartbeats ---

// How often a worker that holds no call is to beat.
static int64_t idle_ms(const struct link *link)
{
    int64_t ms = IDLE_MS_EACH * (int64_t)link->engine->workers.n;

    if (ms < WIRE_HEARTBEAT_MS)
        return WIRE_HEARTBEAT_MS;
    return ms < WIRE_IDLE_MAX_MS ? ms : WIRE_IDLE_MAX_MS;
}

// How often a peer is to hear one. A worker waits for 15 heartbeats, or for
// three times its own rhythm: with thousands of them heartbeats are all that an
// idle coordinator does.
static int64_t beat_every(const struct peer *peer)
{
    if (peer->role != PEER_WORKER)
        return WIRE_HEARTBEAT_MS;
    return peer->idle_ms > WORKER_BEAT_MS ? peer->idle_ms : WORKER_BEAT_MS;
}

// It has said how often it will beat. What a peer that knows no rhythm says is
// 0: it beats as all did before.
static void heed_rhythm(struct link *link, struct peer *peer, int64_t ms)
{
    peer->idle_ms = ms < WIRE_HEARTBEAT_MS ? WIRE_HEARTBEAT_MS : ms;
    dispatch_rhythm(link->engine->dispatch, peer->worker->number,
                    IDLE_BEATS * peer->idle_ms);
}

// --- handlers ---

struct arrival {
    struct link *link;
    const struct link_handlers *handlers;
    const struct wire_id *from;
    struct peer *peer;   // NULL before HELLO
    struct arena *arena; // of the message
    const struct message *message;
    size_t part_bytes; // of a message that came in PARTs; else 0
    int64_t now;
};

static void welcome(struct link *link, struct peer *peer)
{
    struct message message = {.kind = MESSAGE_WELCOME,
                              .as.welcome = {.heartbeat_ms = WIRE_HEARTBEAT_MS,
                                             .idle_ms = idle_ms(link),
                                             .name = peer->worker == NULL
                                                         ? "client"
                                                         : peer->worker->name,
                                             .several = 1}};

    link_tell(link, peer, &message);
}

// Whether there is room for another peer; else err says what is full.
static bool has_room(const struct link *link, const struct hello *hello,
                     struct err *err)
{
    if (connections_crowded(link->connections)) {
        err_set(err, ERR_BUSY,
                "this coordinator has %zu connections, as many as its limit "
                "of open files allows: raise that (`ulimit -n`), or try again "
                "later",
                connections_count(link->connections));
        return false;
    }
    if (hello->role == PEER_CLIENT && link->n_clients >= CLIENTS_MOST) {
        err_set(err, ERR_BUSY,
                "this coordinator serves %d clients at once: try again later",
                CLIENTS_MOST);
        return false;
    }
    return true;
}

// NULL: err says why not.
static struct peer *let_in(struct arrival *arrival, const struct hello *hello,
                           struct err *err)
{
    struct link *link = arrival->link;
    struct engine *engine = link->engine;
    struct worker_info *worker = NULL;
    struct peer *peer;

    if (!has_room(link, hello, err))
        return NULL;
    if (hello->role == PEER_WORKER) {
        worker = workers_join(&engine->workers, hello, &engine->models,
                              engine->dispatch, arrival->now, err);
        if (worker == NULL)
            return NULL;
    }
    peer = add_peer(link, arrival->from, hello, worker, arrival->now, err);
    if (peer == NULL && worker != NULL)
        send_home(engine, worker->number, arrival->now);
    return peer;
}

static void tell_joined(const struct worker_info *worker)
{
    char slots[TEXT_COUNTED_BYTES], models[TEXT_COUNTED_BYTES];

    log_info("worker-joined", "%s: %s, %s, %s", worker->name, worker->server,
             text_counted(slots, worker->slots, "slot"),
             text_counted(models, (int64_t)worker->n_models, "model"));
}

// It says once more who it is, in the middle of its work: its server may have
// got other models. What it showed of those that it has is asked once more.
static void note_models(struct arrival *arrival, const struct hello *hello)
{
    struct worker_info *worker = arrival->peer->worker;
    struct engine *engine = arrival->link->engine;
    struct err err = ERR_CLEAR;

    if (workers_change(&engine->workers, worker, hello, &engine->models,
                       engine->dispatch, &err)) {
        proofs_forget_worker(engine, worker->number);
        proofs_expect_worker(engine, worker, arrival->now);
        note_worker(arrival->link, worker, "serving", arrival->now);
        tell_joined(worker);
    } else if (err.code != ERR_NONE) {
        log_warn("models-not-noted", "%s: %s", worker->name, err.text);
    }
}

// The same worker over another connection. Nobody else can say so: an instance
// has 63 random bits, and its key has to be the same.
static struct peer *find_former(const struct link *link,
                                const struct hello *hello)
{
    struct hash key = map_number(hello->instance);
    struct peer *former = hello->role == PEER_WORKER && hello->instance != 0
                              ? map_find(&link->by_instance, &key)
                              : NULL;

    return former != NULL && listener_has_key(link->listener, former->key)
               ? former
               : NULL;
}

static void on_hello(struct arrival *arrival)
{
    const struct hello *hello = &arrival->message->as.hello;
    struct link *link = arrival->link;
    struct token_bucket messages = {0};
    struct err err = ERR_CLEAR;
    struct peer *former, *peer;

    if (hello->version != WIRE_VERSION) {
        refuse(link, arrival->from, "version",
               "this coordinator speaks another version of the protocol: "
               "install the same promptcc on both sides");
        return;
    }
    if (!listener_gives_role(link->listener, (enum peer_role)hello->role,
                             &err)) {
        refuse(link, arrival->from, "role", err.text);
        return;
    }
    if (arrival->peer != NULL && arrival->peer->epoch == hello->epoch) {
        note_connection(link, arrival->peer);
        if (arrival->peer->worker != NULL)
            note_models(arrival, hello);
        welcome(link, arrival->peer);
        return;
    }
    if (arrival->peer != NULL) {
        messages = arrival->peer->messages;
        remove_peer(link, arrival->peer, "lost", arrival->now);
    }
    former = find_former(link, hello);
    if (former != NULL && former->greeting > hello->greeting) {
        log_debug("hello-late", "%s has greeted anew since", hello->name);
        return;
    }
    if (former != NULL)
        remove_peer(link, former, "lost", arrival->now);
    peer = let_in(arrival, hello, &err);
    if (peer == NULL) {
        refuse(link, arrival->from, "full", err.text);
        return;
    }
    if (messages.burst > 0) // or greeting again would fill it
        peer->messages = messages;
    welcome(link, peer);
    if (peer->worker == NULL)
        return;
    kept_calls_note(&link->engine->kept, peer->worker->number, hello->kept,
                    hello->kept_len, (size_t)hello->slots + 1, arrival->now);
    proofs_expect_worker(link->engine, peer->worker, arrival->now);
    note_worker(link, peer->worker, "serving", arrival->now);
    tell_joined(peer->worker);
}

static void send_again(struct link *link, const struct action *action,
                       int64_t now)
{
    struct engine *engine = link->engine;
    struct flight *flight = flights_by_id(&engine->flights, action->call);
    struct side_call *side =
        flight != NULL ? NULL : side_call_find(engine, action->call);
    struct err err = ERR_CLEAR;

    log_info("call-sent-again", "lease %" PRId64 " was lost on its way",
             action->lease);
    if (flight != NULL)
        (void)link_send_call(link, action, flight, now, &err);
    else if (side != NULL)
        (void)link_send_side_call(link, action, side, now, &err);
}

// A call that the worker should have and has not was lost on the way there, or
// its answer was on the way here: it is sent again, and the worker, which knows
// what it has answered, pays for nothing twice.
static void send_unconfirmed(struct link *link, int32_t worker, int64_t now)
{
    struct action action;

    while (dispatch_unconfirmed(link->engine->dispatch, worker, now, &action)) {
        struct peer *peer = find_worker(link, worker);

        // With it the prefix that others go by may have been lost.
        if (peer != NULL)
            known_prefixes_forget(&peer->prefixes);
        send_again(link, &action, now);
    }
}

// Calls that came without a prefix that the worker knows. The first of them
// brings it, for the others too. Each is a message that the peer asks for.
static void send_untaken(struct arrival *arrival, const struct heartbeat *beat)
{
    int32_t worker = arrival->peer->worker->number;
    struct link *link = arrival->link;
    size_t n = beat->lacks_len / WIRE_LEASE_BYTES;
    struct action action;

    if (!token_bucket_take(&arrival->peer->messages, (int64_t)n,
                           arrival->now)) {
        cut_off(link, arrival->peer, "it asks for far more than it can take",
                arrival->now);
        return;
    }
    known_prefixes_forget(&arrival->peer->prefixes);
    for (size_t i = 0; i < n; i++) // sending may be the end of the peer
        if (dispatch_untaken(link->engine->dispatch, worker,
                             lease_read(beat->lacks + i * WIRE_LEASE_BYTES),
                             arrival->now, &action))
            send_again(link, &action, arrival->now);
}

// What the worker works at and nobody waits for: a CANCEL was lost.
static void confirm(struct link *link, int32_t worker, int64_t lease,
                    int64_t now)
{
    struct action cancel = {
        .kind = ACTION_CANCEL, .worker = worker, .lease = lease};

    if (!dispatch_confirm(link->engine->dispatch, worker, lease, now))
        link_cancel(link, &cancel);
}

// What the client sent comes before its heartbeats: if nothing is here that it
// may wait for, its SUBMIT was lost on the way, or the RESULT.
static void heed_client(struct link *link, struct peer *peer,
                        const struct heartbeat *beat)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT,
                              .as.heartbeat = {.unknown = 1}};

    if (beat->waits != 0 && peer->watched == NULL && peer->submissions == 0 &&
        !assembly_is_under_way(peer->assembly))
        link_tell(link, peer, &message);
}

static void on_heartbeat(struct arrival *arrival)
{
    const struct heartbeat *beat = &arrival->message->as.heartbeat;
    const struct worker_info *worker = arrival->peer->worker;
    struct link *link = arrival->link;

    note_connection(link, arrival->peer);
    if (worker == NULL) {
        heed_client(link, arrival->peer, beat);
        return;
    }
    heed_rhythm(link, arrival->peer, beat->idle_ms);
    int32_t number = worker->number;
    if (beat->lacks_len > 0)
        send_untaken(arrival, beat);
    if (beat->held == NULL)
        return;
    for (size_t at = 0; at + WIRE_LEASE_BYTES <= beat->held_len;
         at += WIRE_LEASE_BYTES)
        confirm(link, number, lease_read(beat->held + at), arrival->now);
    send_unconfirmed(link, number, arrival->now);
}

// It answers a call that the worker holds: the first time that is free.
static void was_asked_for(struct arrival *arrival)
{
    token_bucket_give(&arrival->peer->messages, 1);
    token_bucket_give(&arrival->peer->bytes, (int64_t)arrival->part_bytes);
}

// An answer is kept for good, so a worker that lies could fill the disk. No
// model writes so much for so few tokens: what is beyond is cut off, as a
// server that minds num_predict would have done. So are log-probabilities that
// nobody asked for.
static void bound_answer(const struct call_options *asked,
                         struct call_answer *answer)
{
    size_t most =
        ANSWER_BYTES + (size_t)asked->num_predict * ANSWER_TOKEN_BYTES;

    if (asked->top_logprobs == 0)
        answer->logprobs = NULL;
    if (answer->text_len <= most)
        return;
    answer->text_len = utf8_cut(answer->text, most);
    answer->text[answer->text_len] = '\0';
    if (answer->outcome == CALL_TEXT)
        answer->outcome = CALL_CUT;
}

// The call of that lease could not be answered.
static void take_fault(struct arrival *arrival, int64_t lease,
                       enum call_fault fault, const char *text)
{
    struct worker_info *worker = arrival->peer->worker;
    struct engine *engine = arrival->link->engine;

    if (!dispatch_fault(engine->dispatch, worker->number, lease, fault,
                        arrival->now))
        return;
    was_asked_for(arrival);
    workers_failed(&engine->workers, worker, fault, text, arrival->now);
    log_info("call-fault", "worker %s: %s", worker->name, worker->last_fault);
}

// Whether an answer to that flight is a vector of the model's size, or says
// that the text is too long.
static bool is_embedding(struct engine *engine, const struct flight *flight,
                         const struct call_answer *answer, struct err *err)
{
    size_t *size = &engine->models.entries[flight->order.model].embedding_size;
    float numbers[VECTOR_MAX];
    size_t n = 0;

    if (answer->outcome == CALL_TOO_LONG)
        return true;
    if (!vector_read(answer->text, answer->text_len, numbers, &n, err))
        return false;
    if (*size == 0)
        *size = n;
    if (*size != n)
        err_set(err, ERR_PROTOCOL,
                "an embedding has %zu numbers, where this model's first had "
                "%zu",
                n, *size);
    return *size == n;
}

// An answer is kept for good, so an embedding that is none is told from one
// before anybody has it: it is a fault of its worker. True when it was.
static bool refuse_embedding(struct arrival *arrival,
                             const struct answer_message *message)
{
    struct engine *engine = arrival->link->engine;
    struct err why = ERR_CLEAR;
    int64_t call = 0;
    const struct flight *flight;

    if (engine->flights.n_embeddings == 0 ||
        !dispatch_find(engine->dispatch, arrival->peer->worker->number,
                       message->id, &call))
        return false;
    flight = flights_by_id(&engine->flights, call);
    if (flight == NULL || flight->order.kind != CALL_EMBED ||
        is_embedding(engine, flight, &message->answer, &why))
        return false;
    take_fault(arrival, message->id, FAULT_GARBAGE, why.text);
    return true;
}

static void on_answer(struct arrival *arrival)
{
    const struct answer_message *message = &arrival->message->as.answer;
    struct engine *engine = arrival->link->engine;
    struct worker_info *worker = arrival->peer->worker;
    struct call_answer answer = message->answer;
    struct flight *flight;
    int64_t call;

    if (message->id >= WIRE_PROOF_ID) {
        proofs_answered(engine, worker, message->id, &message->answer,
                        arrival->now);
        return;
    }
    if (refuse_embedding(arrival, message) ||
        !dispatch_done(engine->dispatch, worker->number, message->id,
                       arrival->now, &call))
        return;
    was_asked_for(arrival);
    worker->calls++;
    flight = flights_by_id(&engine->flights, call);
    if (flight == NULL) {
        struct side_call *side = side_call_find(engine, call);

        // Nothing of a side call is stored, so there is no commit to wait for.
        dispatch_credit(engine->dispatch, worker->number, message->id,
                        arrival->now);
        if (side != NULL)
            arrival->handlers->side_call_answered(arrival->handlers->user, side,
                                                  &answer);
        return;
    }
    flight->worker = worker->number;
    flight->lease = message->id;
    bound_answer(&flight->order.options, &answer);
    arrival->handlers->answered(arrival->handlers->user, flight, worker,
                                &answer);
}

static void on_fault(struct arrival *arrival)
{
    const struct fault_message *fault = &arrival->message->as.fault;
    struct worker_info *worker = arrival->peer->worker;

    if (fault->id >= WIRE_PROOF_ID) {
        proofs_failed(arrival->link->engine, worker, fault->id,
                      (enum call_fault)fault->fault, fault->text, arrival->now);
        return;
    }
    take_fault(arrival, fault->id, (enum call_fault)fault->fault, fault->text);
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
    note_worker(arrival->link, worker, "draining", arrival->now);
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

static void on_part(struct arrival *arrival);

// Of each message that a peer may send (message_may_come_from).
static void (*const message_handlers[MESSAGE_KIND_COUNT])(struct arrival *) = {
    [MESSAGE_HELLO] = on_hello,     [MESSAGE_HEARTBEAT] = on_heartbeat,
    [MESSAGE_ANSWER] = on_answer,   [MESSAGE_FAULT] = on_fault,
    [MESSAGE_GOODBYE] = on_goodbye, [MESSAGE_SUBMIT] = on_submit,
    [MESSAGE_COMMAND] = on_command, [MESSAGE_PART] = on_part,
};

static void handle_stranger(struct arrival *arrival)
{
    if (arrival->message->kind == MESSAGE_HELLO) {
        on_hello(arrival);
        return;
    }
    // Every worker says something before it learns of a restart, so this is no
    // warning.
    send_refused(arrival->link, arrival->from, "hello",
                 "greet with HELLO first");
    log_debug("not-greeted", "a peer that has not greeted sent %s",
              message_kind_name(arrival->message->kind));
}

// Whether the peer may say that, now; else it is cut off.
static bool is_allowed(struct arrival *arrival, enum message_kind kind)
{
    struct peer *peer = arrival->peer;

    if (!message_may_come_from(kind, peer->role == PEER_WORKER ? FROM_WORKER
                                                               : FROM_CLIENT)) {
        cut_off(arrival->link, peer, "it sends what is not for it to send",
                arrival->now);
        return false;
    }
    if (!token_bucket_take(&peer->messages, message_tokens(kind),
                           arrival->now)) {
        cut_off(arrival->link, peer, "it sends far more than it was asked for",
                arrival->now);
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
        dispatch_heard(arrival->link->engine->dispatch, peer->worker->number,
                       arrival->now);
    }
    message_handlers[kind](arrival);
}

// A peer that sends nonsense is not to be trusted with calls.
static void drop_babbler(struct link *link, struct peer *peer,
                         const struct wire_id *from, const struct err *why,
                         int64_t now)
{
    refuse(link, from, "frame", why->text);
    if (peer != NULL)
        remove_peer(link, peer, "lost", now);
}

// The next message of a frame, or of what came in parts. False when it is
// none, and its sender is forgotten.
static bool receive_message(struct arrival *arrival, struct wire_frame *frame)
{
    struct arena arena = ARENA_INIT(4 * (size_t)WIRE_MAX_BYTES);
    struct err err = ERR_CLEAR;
    struct message message;
    bool ok = message_take(frame, &arena, &message, &err);

    arrival->message = &message;
    arrival->arena = &arena;
    if (!ok)
        drop_babbler(arrival->link, arrival->peer, arrival->from, &err,
                     arrival->now);
    else if (arrival->peer == NULL)
        handle_stranger(arrival);
    else
        handle(arrival);
    arena_release(&arena);
    return ok;
}

// All messages of a frame, up to one that ends their sender's stay; how many.
// What a stranger says behind a message that is no HELLO is not heard.
static int receive_frame(struct arrival *arrival, struct wire_frame frame)
{
    int n = 1;

    while (receive_message(arrival, &frame) && frame.len > 0) {
        arrival->peer = find_peer(arrival->link, arrival->from);
        arrival->part_bytes = 0;
        if (arrival->peer == NULL)
            break;
        n++;
    }
    return n;
}

// --- long messages ---

// A message that stands still makes room for one that moves.
static bool find_room(struct link *link, const struct peer *peer, size_t bytes,
                      int64_t now)
{
    while (!assemblies_have_room(&link->assemblies, bytes)) {
        struct assembly *idle =
            assemblies_idle(&link->assemblies, peer->assembly, now);

        if (idle == NULL)
            return false;
        cut_off(link, assembly_owner(idle), "its message does not go on", now);
    }
    return true;
}

// False: the peer is gone.
static bool add_part(struct arrival *arrival, const struct part *part)
{
    struct link *link = arrival->link;
    struct peer *peer = arrival->peer;
    struct err err = ERR_CLEAR;

    if (peer->assembly == NULL)
        peer->assembly = assembly_new(&link->assemblies, peer);
    if (peer->assembly == NULL ||
        !find_room(link, peer, part->len, arrival->now)) {
        refuse(link, arrival->from, "full",
               "this coordinator takes as many long messages as it can: try "
               "again later");
        remove_peer(link, peer, "lost", arrival->now);
        return false;
    }
    if (assembly_add(peer->assembly, part, arrival->now, &err))
        return true;
    drop_babbler(link, peer, arrival->from, &err, arrival->now);
    return false;
}

// What came in PARTs is one message: the bucket of bytes is refilled for one
// answer, not for each of many.
static void receive_only(struct arrival *arrival, struct wire_frame frame)
{
    struct err err = ERR_CLEAR;

    if (!receive_message(arrival, &frame) || frame.len == 0)
        return;
    err_set(&err, ERR_PROTOCOL, "%zu bytes follow the message", frame.len);
    drop_babbler(arrival->link, find_peer(arrival->link, arrival->from),
                 arrival->from, &err, arrival->now);
}

// All of a long message is here. To decode a job of 48 MiB takes as long as
// 1,000 answers, so it is left to who reads the job.
static void receive_whole(struct arrival *arrival, struct buf *bytes)
{
    struct wire_frame frame = {.data = bytes->data, .len = bytes->len};

    if (!message_is(bytes->data, bytes->len, MESSAGE_SUBMIT))
        receive_only(arrival, frame);
    else if (is_allowed(arrival, MESSAGE_SUBMIT))
        arrival->handlers->submitted_long(arrival->handlers->user,
                                          arrival->peer, bytes);
}

static void on_part(struct arrival *arrival)
{
    const struct part *part = &arrival->message->as.part;
    struct link *link = arrival->link;
    struct peer *peer = arrival->peer;
    struct buf whole = BUF_INIT(0);

    if (arrival->part_bytes > 0) {
        cut_off(link, peer, "it sends parts of parts", arrival->now);
        return;
    }
    if (!token_bucket_take(&peer->bytes, (int64_t)part->len, arrival->now)) {
        cut_off(link, peer, "it sends more and longer messages than are taken",
                arrival->now);
        return;
    }
    if (!add_part(arrival, part) || !assembly_take(peer->assembly, &whole))
        return;
    // Freed first: what is in the message may be the end of the peer.
    assembly_free(peer->assembly);
    peer->assembly = NULL;
    arrival->part_bytes = whole.len;
    receive_whole(arrival, &whole);
    buf_release(&whole);
}

// --- receiving ---

// Whether a frame of somebody unknown is looked at.
static bool is_admitted(struct link *link, size_t bytes, int64_t now)
{
    return connections_admit(link->connections, wire_source(link->socket),
                             bytes, now);
}

// Whether some of what workers have said may still be unread. After a stall
// their words are on the way through the network's own thread.
static bool is_behind(struct link *link, bool drained, int64_t now)
{
    if (link->received_ms > 0 && now - link->received_ms > STALL_MS)
        link->stalled_ms = now;
    link->received_ms = now;
    return !drained ||
           (link->stalled_ms > 0 && now - link->stalled_ms < STALL_MS);
}

// Whether the frame of a peer came over a connection with another key: somebody
// has taken its identity. What he says is not the peer's.
static bool is_impostor(struct link *link, const struct peer *peer)
{
    if (peer == NULL || listener_has_key(link->listener, peer->key))
        return false;
    log_warn("peer-refused",
             "role: the identity of %s is used with another key",
             peer->worker == NULL ? "a client" : peer->worker->name);
    return true;
}

void link_receive(struct link *link, const struct link_handlers *handlers,
                  int64_t now)
{
    bool drained = false;
    size_t bytes = 0;

    for (int n = 0; n < LINK_BURST && bytes < LINK_BURST_BYTES; n++) {
        struct err err = ERR_CLEAR;
        struct wire_id from;
        struct wire_frame frame;
        enum wire_got got = wire_take(link->socket, &from, &frame, &err);
        struct arrival arrival = {
            .link = link, .handlers = handlers, .from = &from, .now = now};

        if (got == WIRE_NOTHING || got == WIRE_FAILED) {
            drained = true;
            break;
        }
        bytes += frame.len;
        arrival.peer = find_peer(link, &from);
        if (arrival.peer == NULL && !is_admitted(link, frame.len, now))
            continue;
        if (is_impostor(link, arrival.peer))
            continue;
        if (got == WIRE_BAD)
            drop_babbler(link, arrival.peer, &from, &err, now);
        else
            n += receive_frame(&arrival, frame) - 1;
    }
    dispatch_behind(link->engine->dispatch, is_behind(link, drained, now));
    drop_glutted(link, now);
    connections_tick(link->connections, now);
    note_broken(link, now);
}

void *link_monitor(const struct link *link)
{
    return connections_handle(link->connections);
}

// --- sending ---

// Whether the peer is still here. A client that is gone has nothing to come
// back; a worker is lost when dispatch says so.
static bool is_alive(const struct link *link, struct peer *peer,
                     const struct message *beat, int64_t now)
{
    struct err err = ERR_CLEAR;
    bool sent = false;

    if (now >= peer->beat_ms) {
        sent = wire_send(link->socket, &peer->id, beat, &err);
        peer->beat_ms = now + beat_every(peer);
    }
    if (peer->role == PEER_WORKER)
        return true;
    return (sent || err.code != ERR_IO) &&
           (peer->fd < 0 || now - peer->heard_ms < CLIENT_MS);
}

// Those whose key was taken out of the folder are no longer here.
static void heed_gate(struct link *link, int64_t now)
{
    if (!listener_keys_changed(link->listener))
        return;
    for (struct peer *peer = link->peers, *next; peer != NULL; peer = next) {
        next = peer->next;
        if (peer->fd >= 0 &&
            !listener_allows(link->listener, peer->key, peer->role))
            cut_off(link, peer, "its key was taken away", now);
    }
}

static bool is_away(const struct link *link, const struct peer *peer)
{
    struct dispatch_worker_view view = {.state = DISPATCH_WORKER_SERVING};

    (void)dispatch_worker_look(link->engine->dispatch, peer->worker->number,
                               &view);
    return view.state == DISPATCH_WORKER_SILENT ||
           !connections_hold(link->connections, peer->fd, peer->number);
}

void link_beat(struct link *link, int64_t now)
{
    struct message beat = {.kind = MESSAGE_HEARTBEAT,
                           .as.heartbeat = {.idle_ms = idle_ms(link)}};

    if (now - link->beat_ms < WIRE_HEARTBEAT_MS)
        return;
    link->beat_ms = now;
    assemblies_tick(&link->assemblies, now);
    heed_gate(link, now);
    for (struct peer *peer = link->peers, *next; peer != NULL; peer = next) {
        next = peer->next;
        if (peer->worker != NULL)
            peer->worker->away = is_away(link, peer);
        if (is_alive(link, peer, &beat, now))
            continue;
        connections_close(link->connections, peer->fd, peer->number);
        remove_peer(link, peer, "left", now);
    }
}

// A message that may wait until link_flush for others to the same peer.
static bool say(struct link *link, struct peer *peer,
                const struct message *message, struct err *err)
{
    if (!peer->several)
        return wire_send(link->socket, &peer->id, message, err);
    if (!peer->to_flush) {
        peer->to_flush = true;
        peer->next_to_flush = link->to_flush;
        link->to_flush = peer;
    }
    return outbox_put(&peer->outbox, link->socket, &peer->id, message, err);
}

static void lose_worker(struct link *link, struct peer *peer,
                        const struct err *why, int64_t now)
{
    log_warn("worker-unreachable", "%s: %s", peer->worker->name, why->text);
    remove_peer(link, peer, "lost", now);
}

// Names the prefix to a worker that keeps some, and leaves out its text where
// the worker has it.
static void name_prefix(struct peer *peer, const struct prefix *prefix,
                        struct call_message *call)
{
    if (peer->prefixes.room == 0 || prefix->len == 0 ||
        prefix->len > WIRE_PREFIX_BYTES)
        return;
    call->prefix_name = (const char *)prefix->hash.bytes;
    call->prefix_name_len = sizeof prefix->hash.bytes;
    if (known_prefixes_use(&peer->prefixes, &prefix->hash)) {
        call->request.prefix = "";
        call->request.prefix_len = 0;
    }
}

// A prefix, where there is one, may be known to the worker already.
static bool send_to_worker(struct link *link, int32_t worker,
                           const struct call_message *call,
                           const struct prefix *prefix, int64_t now,
                           struct err *err)
{
    struct peer *peer = find_worker(link, worker);
    struct message message = {.kind = MESSAGE_CALL, .as.call = *call};
    struct err why = ERR_CLEAR;

    if (peer != NULL && prefix != NULL)
        name_prefix(peer, prefix, &message.as.call);
    if (peer == NULL || say(link, peer, &message, &why))
        return true;
    if (why.code == ERR_LIMIT || why.code == ERR_NOMEM) {
        known_prefixes_forget(&peer->prefixes); // it was not told this one
        *err = why;
        return false;
    }
    lose_worker(link, peer, &why, now);
    return true;
}

bool link_send_call(struct link *link, const struct action *action,
                    const struct flight *flight, int64_t now, struct err *err)
{
    const struct model_entry *model =
        &link->engine->models.entries[flight->order.model];
    struct call_message call = {
        .id = action->lease,
        .timeout_ms = flight->timeout_ms,
        .digest = models_worker_digest(model->digest),
        .key = (const char *)flight->order.key.bytes,
        .key_len = sizeof flight->order.key.bytes,
        .request = {.kind = flight->order.kind,
                    .model = model->name,
                    .prefix = flight->order.prefix->text,
                    .prefix_len = flight->order.prefix->len,
                    .tail = flight->order.ask.payload,
                    .tail_len = flight->order.ask.payload_len,
                    .format = flight->order.prefix->format,
                    .options = flight->order.options}};

    return send_to_worker(link, action->worker, &call, flight->order.prefix,
                          now, err);
}

bool link_send_side_call(struct link *link, const struct action *action,
                         const struct side_call *side, int64_t now,
                         struct err *err)
{
    struct call_message call = side_call_message(link->engine, side, action);

    return send_to_worker(link, action->worker, &call, NULL, now, err);
}

void link_send_proofs(struct link *link, int64_t now)
{
    struct message message = {.kind = MESSAGE_CALL};
    struct proof *proof;

    while ((proof = proofs_next(link->engine, now, &message.as.call)) != NULL) {
        const struct peer *peer = find_worker(link, proof->worker);

        if (peer != NULL)
            (void)wire_send(link->socket, &peer->id, &message, NULL);
    }
}

void link_cancel(struct link *link, const struct action *action)
{
    struct peer *peer = find_worker(link, action->worker);
    struct message message = {.kind = MESSAGE_CANCEL,
                              .as.cancel = {.id = action->lease}};

    if (peer != NULL)
        (void)say(link, peer, &message, NULL);
}

void link_flush(struct link *link, int64_t now)
{
    struct peer *peer;

    while ((peer = link->to_flush) != NULL) {
        struct err why = ERR_CLEAR;

        link->to_flush = peer->next_to_flush;
        peer->to_flush = false;
        if (!outbox_flush(&peer->outbox, link->socket, &peer->id, &why))
            lose_worker(link, peer, &why, now);
    }
}

void link_drop(struct link *link, int32_t worker, int64_t now)
{
    struct peer *peer = find_worker(link, worker);

    if (peer == NULL)
        return;
    log_warn("worker-lost", "%s: no sign of life for %" PRId64 " s",
             peer->worker->name, (now - peer->heard_ms) / 1000);
    connections_close(link->connections, peer->fd, peer->number);
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
               const char *endpoint, const char *keys, struct err *err)
{
    *link =
        (struct link){.engine = engine,
                      .notes = token_bucket_full(NOTES_BURST, NOTES_PER_S, 0)};
    link->listener = listener_open(zmq, endpoint, keys, err);
    if (link->listener == NULL)
        return false;
    link->socket = listener_socket(link->listener);
    link->connections = listener_connections(link->listener);
    return true;
}

void link_close(struct link *link)
{
    while (link->peers != NULL) {
        struct peer *next = link->peers->next;

        assembly_free(link->peers->assembly);
        outbox_release(&link->peers->outbox);
        free(link->peers);
        link->peers = next;
    }
    map_release(&link->by_id);
    map_release(&link->by_worker);
    map_release(&link->by_instance);
    listener_close(link->listener);
    link->listener = NULL;
}
