#include "coordinator/peers.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/text.h"
#include "coordinator/engine.h"
#include "coordinator/peer.h"

enum {
    // Tokens for what a peer may say unasked: a burst, and a rate per second.
    // message_tokens says how many each kind of message takes.
    MESSAGES_BURST = 256, // plus two for each slot of a worker
    MESSAGES_PER_S = 64,

    // For messages in PARTs. A peer's bucket holds the longest message.
    PART_BURST = WIRE_MAX_BYTES + (WIRE_MAX_BYTES >> 2),
    PART_BYTES_PER_S = 2 << 20,

    // A worker gets a heartbeat this often, or as rarely as it sends its own.
    WORKER_BEAT_MS = 4 * WIRE_HEARTBEAT_MS,
    // Each worker adds this to the interval between two heartbeats of a worker
    // that holds no call: if 5,000 are idle, about 140 heartbeats arrive per
    // second.
    IDLE_MS_EACH = 8,

    // Bytes sent to one client, or to all, that have not been read. A client
    // may leave at least the longest RESULT and a REPLY unread.
    UNREAD_MOST = WIRE_MAX_BYTES + WIRE_MAX_TEXT,
    UNREAD_OF_ALL = 256 << 20,
    UNREAD_SHORT = 64 << 10, // after shorter messages the total is not
                             // recomputed

    CLIENTS_MOST = 512,
    CLIENT_MS = 30000, // of silence; a client that waits sends a heartbeat
                       // every second
};

struct peers {
    struct engine *engine;           // borrowed
    struct listener *listener;       // borrowed
    struct wire_socket *socket;      // the listener's
    struct connections *connections; // the listener's
    struct mailboxes mailboxes;
    struct map by_id;       // by their routing id
    struct map by_number;   // by their own number
    struct map by_worker;   // by worker number
    struct map by_instance; // workers that name their instance
    // Owned. Two lists, so that what is done for clients in each turn does not
    // walk past thousands of workers.
    struct peer *first[PEER_ROLE_COUNT];
    int64_t last_number;
    size_t n_clients;
    bool clogged;    // a client is clogged
    int64_t beat_ms; // when the last heartbeats were sent
    // When it was last noted who is away: how many connections had been lost by
    // then, and how often a worker had fallen silent.
    size_t lost;
    int64_t silences;
};

// --- finding ---

// Computed for every incoming frame, from about 20 bytes: SipHash takes a tenth
// of the time of hash_of, and its 128 bits do not collide by chance.
static struct hash id_key(const struct wire_id *id)
{
    static const unsigned char key[crypto_shorthash_siphashx24_KEYBYTES] =
        "promptcc's peer";
    struct hash hash;

    (void)crypto_shorthash_siphashx24(hash.bytes, id->bytes, id->len, key);
    return hash;
}

struct peer *peers_find(const struct peers *peers, const struct wire_id *id)
{
    struct hash key = id_key(id);

    return map_find(&peers->by_id, &key);
}

static struct peer *find_numbered(const struct peers *peers, int64_t number)
{
    struct hash key = map_number(number);

    return map_find(&peers->by_number, &key);
}

struct peer *peers_find_worker(const struct peers *peers, int32_t number)
{
    struct hash key = map_number(number);

    return map_find(&peers->by_worker, &key);
}

struct peer *peers_find_instance(const struct peers *peers, int64_t instance)
{
    struct hash key = map_number(instance);

    return instance == 0 ? NULL : map_find(&peers->by_instance, &key);
}

struct peer_address peer_address(const struct peer *peer)
{
    return (struct peer_address){.id = peer->id, .epoch = peer->epoch};
}

struct peer *peers_at(const struct peers *peers,
                      const struct peer_address *address)
{
    struct peer *peer = peers_find(peers, &address->id);

    return peer != NULL && peer->epoch == address->epoch ? peer : NULL;
}

// --- joining ---

// Returns true if there is room for another peer; if not, err says what is
// full.
static bool has_room(const struct peers *peers, const struct hello *hello,
                     struct err *err)
{
    if (connections_crowded(peers->connections)) {
        err_set(err, ERR_BUSY,
                "this coordinator has %zu connections, as many as its limit "
                "of open files allows: raise that (`ulimit -n`), or try again "
                "later",
                connections_count(peers->connections));
        return false;
    }
    if (hello->role == PEER_CLIENT && peers->n_clients >= CLIENTS_MOST) {
        err_set(err, ERR_BUSY,
                "this coordinator serves %d clients at once: try again later",
                CLIENTS_MOST);
        return false;
    }
    return true;
}

void peers_note_connection(struct peers *peers, struct peer *peer)
{
    int before = peer->fd;

    peer->fd = wire_source(peers->socket);
    if (peer->fd != before)
        mailbox_forget_prefixes(peer->mailbox);
    connections_greeted(peers->connections, peer->fd, peer->number);
}

static void unindex_peer(struct peers *peers, const struct peer *peer)
{
    struct hash key = id_key(&peer->id);

    map_remove(&peers->by_id, &key);
    key = map_number(peer->number);
    map_remove(&peers->by_number, &key);
    if (peer->worker != NULL) {
        key = map_number(peer->worker->number);
        map_remove(&peers->by_worker, &key);
    }
    if (peer->instance != 0) {
        key = map_number(peer->instance);
        map_remove(&peers->by_instance, &key);
    }
}

// Indexes the peer by its routing id, its number and, for a worker, the
// worker's number.
static bool index_peer(struct peers *peers, struct peer *peer)
{
    struct hash id = id_key(&peer->id);
    struct hash number = map_number(peer->number);
    struct hash worker =
        map_number(peer->worker == NULL ? 0 : peer->worker->number);
    bool ok =
        map_put(&peers->by_id, &id, peer) &&
        map_put(&peers->by_number, &number, peer) &&
        (peer->worker == NULL || map_put(&peers->by_worker, &worker, peer));

    if (!ok)
        unindex_peer(peers, peer);
    return ok;
}

// Makes the worker known by its instance. When out of memory, or if the
// instance is taken by another key, the worker is known by its routing id
// alone.
static void index_instance(struct peers *peers, struct peer *peer,
                           const struct hello *hello)
{
    struct hash key = map_number(hello->instance);

    if (peer->worker == NULL || hello->instance == 0 ||
        map_find(&peers->by_instance, &key) != NULL ||
        !map_put(&peers->by_instance, &key, peer))
        return;
    peer->instance = hello->instance;
    peer->greeting = hello->greeting;
}

static void list_peer(struct peers *peers, struct peer *peer)
{
    struct peer **first = &peers->first[peer->role];

    peer->next = *first;
    if (peer->next != NULL)
        peer->next->before = peer;
    *first = peer;
    if (peer->role == PEER_CLIENT)
        peers->n_clients++;
}

static struct peer *add_peer(struct peers *peers, const struct wire_id *id,
                             const struct hello *hello,
                             struct worker_info *worker, int64_t now,
                             struct err *err)
{
    int64_t slots = worker == NULL ? 0 : worker->slots;
    struct peer *peer = malloc(sizeof *peer);

    if (peer == NULL)
        goto nomem;
    *peer = (struct peer){
        .number = peers->last_number + 1,
        .id = *id,
        .role = (enum peer_role)hello->role,
        .epoch = hello->epoch,
        .worker = worker,
        .heard_ms = now,
        .messages =
            token_bucket_full(MESSAGES_BURST + 2 * slots, MESSAGES_PER_S, now),
        .bytes = token_bucket_full(PART_BURST, PART_BYTES_PER_S, now),
        .mailbox = mailbox_new(&peers->mailboxes, id, hello, peer)};
    if (peer->mailbox == NULL || !index_peer(peers, peer))
        goto nomem;
    peers->last_number++;
    list_peer(peers, peer);
    // Spread out, so that peers that came together do not all get it in the
    // same second.
    if (worker != NULL)
        peer->beat_ms = now + peer->number * WIRE_HEARTBEAT_MS % WORKER_BEAT_MS;
    (void)text_print(peer->key, sizeof peer->key, "%s",
                     wire_peer_key(peers->socket));
    peers_note_connection(peers, peer);
    index_instance(peers, peer, hello);
    return peer;

nomem:
    if (peer != NULL)
        mailbox_free(peer->mailbox);
    free(peer);
    err_nomem(err, "a peer");
    return NULL;
}

// Returns a worker's calls to the queue and forgets the worker.
static void release_worker(struct engine *engine, int32_t worker, int64_t now)
{
    dispatch_leave(engine->dispatch, worker, now);
    proofs_forget_worker(engine, worker);
    workers_leave(&engine->workers, worker);
}

struct peer *peers_add(struct peers *peers, const struct wire_id *id,
                       const struct hello *hello, int64_t now, struct err *err)
{
    struct engine *engine = peers->engine;
    struct worker_info *worker = NULL;
    struct peer *peer;

    if (!has_room(peers, hello, err))
        return NULL;
    if (hello->role == PEER_WORKER) {
        worker = workers_join(&engine->workers, hello, &engine->models,
                              engine->dispatch, now, err);
        if (worker == NULL)
            return NULL;
    }
    peer = add_peer(peers, id, hello, worker, now, err);
    if (peer == NULL && worker != NULL)
        release_worker(engine, worker->number, now);
    return peer;
}

// --- leaving ---

static void unlist_peer(struct peers *peers, struct peer *peer)
{
    if (peer->before == NULL)
        peers->first[peer->role] = peer->next;
    else
        peer->before->next = peer->next;
    if (peer->next != NULL)
        peer->next->before = peer->before;
    if (peer->role == PEER_CLIENT)
        peers->n_clients--;
}

static void free_peer(struct peer *peer)
{
    assembly_free(peer->assembly);
    mailbox_free(peer->mailbox);
    free(peer);
}

void peers_remove(struct peers *peers, struct peer *peer, const char *state,
                  int64_t now)
{
    struct engine *engine = peers->engine;

    unlist_peer(peers, peer);
    unindex_peer(peers, peer);
    connections_peer_gone(peers->connections, peer->fd, peer->number, now);
    if (peer->worker != NULL) {
        log_info("worker-left", "%s (%s)", peer->worker->name, state);
        worker_rows_note(&engine->worker_rows, peer->worker, state, now);
        release_worker(engine, peer->worker->number, now);
    }
    free_peer(peer);
}

const char *peers_name(const struct peer *peer)
{
    if (peer == NULL)
        return "";
    return peer->worker == NULL ? "a client" : peer->worker->name;
}

void peers_cut_off(struct peers *peers, struct peer *peer, const char *why,
                   int64_t now)
{
    log_warn("peer-cut-off", "%s%s: %s", peer->worker == NULL ? "" : "worker ",
             peers_name(peer), why);
    if (peer->fd >= 0)
        connections_close(peers->connections, peer->fd, peer->number);
    peers_remove(peers, peer, "lost", now);
}

void peers_drop_worker(struct peers *peers, int32_t worker, int64_t now)
{
    struct peer *peer = peers_find_worker(peers, worker);

    if (peer == NULL)
        return;
    log_warn("worker-lost", "%s: no sign of life for %" PRId64 " s",
             peer->worker->name, (now - peer->heard_ms) / 1000);
    connections_close(peers->connections, peer->fd, peer->number);
    peers_remove(peers, peer, "lost", now);
}

// --- sending ---

// If all clients together leave too much unread, marks the one that leaves the
// most as clogged.
static void check_total_unread(struct peers *peers)
{
    struct peer *worst = NULL;
    size_t all = 0, most = 0;

    for (struct peer *peer = peers->first[PEER_CLIENT]; peer != NULL;
         peer = peer->next) {
        size_t unread = peer->clogged
                            ? 0
                            : connections_unread_bytes(peers->connections,
                                                       peer->fd, peer->number);

        all += unread;
        if (unread > most) {
            most = unread;
            worst = peer;
        }
    }
    if (all > UNREAD_OF_ALL && worst != NULL)
        worst->clogged = peers->clogged = true;
}

static void note_sent(struct peers *peers, struct peer *peer)
{
    size_t bytes = wire_sent_bytes(peers->socket);
    size_t unread = connections_count_sent(peers->connections, peer->fd,
                                           peer->number, bytes);

    if (unread > UNREAD_MOST)
        peer->clogged = peers->clogged = true;
    else if (bytes > UNREAD_SHORT)
        check_total_unread(peers);
}

bool peers_tell(struct peers *peers, struct peer *peer,
                const struct message *message)
{
    struct err err = ERR_CLEAR;

    if (peer->clogged)
        return false;
    if (wire_send(peers->socket, &peer->id, message, &err)) {
        note_sent(peers, peer);
        return true;
    }
    log_info("send-failed", "%s to a peer: %s",
             message_kind_name(message->kind), err.text);
    return false;
}

static void send_refused(struct peers *peers, const struct wire_id *id,
                         const char *code, const char *text)
{
    struct message message = {.kind = MESSAGE_REFUSED,
                              .as.refused = {.code = code, .text = text}};

    wire_send(peers->socket, id, &message, NULL);
}

void peers_refuse(struct peers *peers, const struct wire_id *id,
                  const char *who, const char *code, const char *text)
{
    send_refused(peers, id, code, text);
    log_warn("peer-refused", "%s: %s%s%s", code, who,
             who[0] == '\0' ? "" : ": ", text);
}

void peers_ask_to_greet(struct peers *peers, const struct wire_id *id)
{
    send_refused(peers, id, "hello", "greet with HELLO first");
}

// Not done at once, because callers that send to several peers walk the list.
static void drop_clogged(struct peers *peers, int64_t now)
{
    if (!peers->clogged)
        return;
    peers->clogged = false;
    for (struct peer *peer = peers->first[PEER_CLIENT], *next; peer != NULL;
         peer = next) {
        next = peer->next;
        if (peer->clogged)
            peers_cut_off(peers, peer, "it does not read what it asks for",
                          now);
    }
}

// A worker without calls may be silent for a long time, so if its connection
// broke, it has to show that it is alive. It does so within a second after it
// is back.
static void suspect_broken(struct peers *peers, int64_t now)
{
    int fd;
    int64_t number;

    while (connections_broken(peers->connections, &fd, &number)) {
        const struct peer *peer = find_numbered(peers, number);

        if (peer != NULL && peer->worker != NULL && peer->fd == fd)
            dispatch_suspect(peers->engine->dispatch, peer->worker->number,
                             now);
    }
}

void peers_tend(struct peers *peers, int64_t now)
{
    drop_clogged(peers, now);
    connections_tick(peers->connections, now);
    suspect_broken(peers, now);
}

// --- heartbeats ---

int64_t peers_idle_ms(const struct peers *peers)
{
    int64_t ms = IDLE_MS_EACH * (int64_t)peers->engine->workers.n;

    if (ms < WIRE_HEARTBEAT_MS)
        return WIRE_HEARTBEAT_MS;
    return ms < WIRE_IDLE_MAX_MS ? ms : WIRE_IDLE_MAX_MS;
}

// Returns how often a peer gets a heartbeat. A worker waits for 15 heartbeats,
// or three times its own interval, before it gives up. With thousands of
// workers, heartbeats are all that an idle coordinator does.
static int64_t beat_every(const struct peer *peer)
{
    if (peer->role != PEER_WORKER)
        return WIRE_HEARTBEAT_MS;
    return peer->idle_ms > WORKER_BEAT_MS ? peer->idle_ms : WORKER_BEAT_MS;
}

// Returns false if the peer cannot be reached.
static bool beat_peer(const struct peers *peers, struct peer *peer,
                      const struct message *beat, int64_t now)
{
    struct err err = ERR_CLEAR;

    if (now < peer->beat_ms)
        return true;
    peer->beat_ms = now + beat_every(peer);
    return wire_send(peers->socket, &peer->id, beat, &err) ||
           err.code != ERR_IO;
}

// A worker that cannot be reached is lost when dispatch says so.
static void beat_workers(const struct peers *peers, const struct message *beat,
                         int64_t now)
{
    for (struct peer *peer = peers->first[PEER_WORKER]; peer != NULL;
         peer = peer->next)
        (void)beat_peer(peers, peer, beat, now);
}

// A client that is gone has no calls to give back.
static void beat_clients(struct peers *peers, const struct message *beat,
                         int64_t now)
{
    for (struct peer *peer = peers->first[PEER_CLIENT], *next; peer != NULL;
         peer = next) {
        next = peer->next;
        if (beat_peer(peers, peer, beat, now) &&
            (peer->fd < 0 || now - peer->heard_ms < CLIENT_MS))
            continue;
        connections_close(peers->connections, peer->fd, peer->number);
        peers_remove(peers, peer, "left", now);
    }
}

// Cuts off peers whose key was removed from the folder.
static void check_keys(struct peers *peers, int64_t now)
{
    if (!listener_keys_changed(peers->listener))
        return;
    for (int role = 0; role < PEER_ROLE_COUNT; role++)
        for (struct peer *peer = peers->first[role], *next; peer != NULL;
             peer = next) {
            next = peer->next;
            if (peer->fd >= 0 &&
                !listener_allows(peers->listener, peer->key, peer->role))
                peers_cut_off(peers, peer, "its key is no longer allowed", now);
        }
}

static bool is_away(const struct peers *peers, const struct peer *peer)
{
    struct dispatch_worker_view view = {.state = DISPATCH_WORKER_SERVING};

    (void)dispatch_worker_look(peers->engine->dispatch, peer->worker->number,
                               &view);
    return view.state == DISPATCH_WORKER_SILENT ||
           !connections_is_open(peers->connections, peer->fd, peer->number);
}

// A worker can only go away by falling silent or by losing its connection.
// Checking thousands of them each second would cost as much as reading what
// they send.
static void note_away(struct peers *peers)
{
    size_t lost = connections_lost(peers->connections);
    int64_t silences = dispatch_silences(peers->engine->dispatch);

    if (lost == peers->lost && silences == peers->silences)
        return;
    peers->lost = lost;
    peers->silences = silences;
    for (struct peer *peer = peers->first[PEER_WORKER]; peer != NULL;
         peer = peer->next)
        peer->worker->away = is_away(peers, peer);
}

void peers_beat(struct peers *peers, int64_t now)
{
    struct message beat = {.kind = MESSAGE_HEARTBEAT,
                           .as.heartbeat = {.idle_ms = peers_idle_ms(peers)}};

    if (now - peers->beat_ms < WIRE_HEARTBEAT_MS)
        return;
    peers->beat_ms = now;
    check_keys(peers, now);
    note_away(peers);
    beat_workers(peers, &beat, now);
    beat_clients(peers, &beat, now);
}

// --- clients and their jobs ---

void peer_begins_submission(struct peer *peer)
{
    peer->submissions++;
}

void peer_ends_submission(struct peer *peer, struct running_job *running)
{
    peer->submissions--;
    if (running != NULL)
        peer->watched = running;
}

struct peer *peers_next_watcher(const struct peers *peers,
                                const struct running_job *running,
                                const struct peer *after)
{
    struct peer *peer = after == NULL ? peers->first[PEER_CLIENT] : after->next;

    while (peer != NULL && (peer->watched == NULL ||
                            (running != NULL && peer->watched != running)))
        peer = peer->next;
    return peer;
}

struct running_job *peer_watched(const struct peer *peer)
{
    return peer->watched;
}

void peers_unwatch(struct peers *peers, const struct running_job *running)
{
    for (struct peer *peer = peers->first[PEER_CLIENT]; peer != NULL;
         peer = peer->next)
        if (peer->watched == running)
            peer->watched = NULL;
}

// --- life ---

struct mailboxes *peers_mailboxes(struct peers *peers)
{
    return &peers->mailboxes;
}

struct engine *peers_engine(const struct peers *peers)
{
    return peers->engine;
}

struct listener *peers_listener(const struct peers *peers)
{
    return peers->listener;
}

struct peers *peers_new(struct engine *engine, struct listener *listener,
                        struct err *err)
{
    struct peers *peers = calloc(1, sizeof *peers);

    if (peers == NULL) {
        err_nomem(err, "the peers");
        return NULL;
    }
    peers->engine = engine;
    peers->listener = listener;
    peers->socket = listener_socket(listener);
    peers->connections = listener_connections(listener);
    peers->mailboxes.socket = peers->socket;
    return peers;
}

void peers_free(struct peers *peers)
{
    if (peers == NULL)
        return;
    for (int role = 0; role < PEER_ROLE_COUNT; role++)
        for (struct peer *peer = peers->first[role], *next; peer != NULL;
             peer = next) {
            next = peer->next;
            free_peer(peer);
        }
    map_release(&peers->by_id);
    map_release(&peers->by_number);
    map_release(&peers->by_worker);
    map_release(&peers->by_instance);
    free(peers);
}
