// peers_beat: signs of life: heartbeats to peers, and what the silence of a
// peer or the end of a connection means. Keys that are withdrawn are noticed
// here.

#include "coordinator/peers_state.h"

enum {
    // Each worker adds this to the interval between two heartbeats of a worker
    // that holds no call: if 5,000 are idle, about 140 heartbeats arrive per
    // second.
    IDLE_MS_EACH = 8,

    CLIENT_MS = 30000, // of silence; a client that waits sends a heartbeat
                       // every second
};

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

    if (lost == peers->pulse.lost && silences == peers->pulse.silences)
        return;
    peers->pulse.lost = lost;
    peers->pulse.silences = silences;
    for (struct peer *peer = peers->first[PEER_WORKER]; peer != NULL;
         peer = peer->next)
        peer->worker->away = is_away(peers, peer);
}

void peers_beat(struct peers *peers, int64_t now)
{
    struct message beat = {.kind = MESSAGE_HEARTBEAT,
                           .as.heartbeat = {.idle_ms = peers_idle_ms(peers)}};

    if (now - peers->pulse.sent_ms < WIRE_HEARTBEAT_MS)
        return;
    peers->pulse.sent_ms = now;
    check_keys(peers, now);
    note_away(peers);
    beat_workers(peers, &beat, now);
    beat_clients(peers, &beat, now);
}

// A worker without calls may be silent for a long time, so if its connection
// broke, it has to show that it is alive. It does so within a second after it
// is back.
static void suspect_broken(struct peers *peers, int64_t now)
{
    int fd;
    int64_t number;

    while (connections_broken(peers->connections, &fd, &number)) {
        const struct peer *peer = peers_find_numbered(peers, number);

        if (peer != NULL && peer->worker != NULL && peer->fd == fd)
            dispatch_suspect(peers->engine->dispatch, peer->worker->number,
                             now);
    }
}

void peers_tend(struct peers *peers, int64_t now)
{
    peers_drop_clogged(peers, now);
    connections_tick(peers->connections, now);
    suspect_broken(peers, now);
}
