#include "coordinator/peers.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/text.h"
#include "coordinator/peers_state.h"

enum {
    // Tokens for what a peer may say unasked: a burst, and a rate per second.
    // message_tokens says how many each kind of message takes.
    MESSAGES_BURST = 256, // plus two for each slot of a worker
    MESSAGES_PER_S = 64,

    // For messages in PARTs. A peer's bucket holds the longest message.
    PART_BURST = WIRE_MAX_BYTES + (WIRE_MAX_BYTES >> 2),
    PART_BYTES_PER_S = 2 << 20,

    CLIENTS_MOST = 512,
};

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

static void free_peer(struct peer *peer)
{
    assembly_free(peer->assembly);
    mailbox_free(peer->mailbox);
    free(peer);
}

// Returns NULL when out of memory.
static struct peer *new_peer(struct peers *peers, const struct wire_id *id,
                             const struct hello *hello,
                             struct worker_info *worker, int64_t now)
{
    int64_t slots = worker == NULL ? 0 : worker->slots;
    struct peer *peer = malloc(sizeof *peer);

    if (peer == NULL)
        return NULL;
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
    // Spread out, so that peers that came together do not all get it in the
    // same second.
    if (worker != NULL)
        peer->beat_ms = now + peer->number * WIRE_HEARTBEAT_MS % WORKER_BEAT_MS;
    (void)text_print(peer->key, sizeof peer->key, "%s",
                     wire_peer_key(peers->socket));
    if (peer->mailbox != NULL)
        return peer;
    free_peer(peer);
    return NULL;
}

static struct peer *add_peer(struct peers *peers, const struct wire_id *id,
                             const struct hello *hello,
                             struct worker_info *worker, int64_t now,
                             struct err *err)
{
    struct peer *peer = new_peer(peers, id, hello, worker, now);

    if (peer != NULL && !peers_index(peers, peer)) {
        free_peer(peer);
        peer = NULL;
    }
    if (peer == NULL) {
        err_nomem(err, "a peer");
        return NULL;
    }
    peers->last_number++;
    list_peer(peers, peer);
    peers_note_connection(peers, peer);
    peers_index_instance(peers, peer, hello);
    return peer;
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

void peers_remove(struct peers *peers, struct peer *peer, const char *state,
                  int64_t now)
{
    struct engine *engine = peers->engine;

    unlist_peer(peers, peer);
    peers_unindex(peers, peer);
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
    peers_release_index(peers);
    free(peers);
}
