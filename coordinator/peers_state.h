// peers_state: the members of the peers (peers.h), for the files that implement
// them:
//
//   peers.c        who is connected; who joins and leaves
//   peers_index.c  the names by which each is found
//   peers_send.c   what they are sent, and what clients leave unread
//   peers_beat.c   signs of life, in both directions; keys that are withdrawn

#ifndef COORDINATOR_PEERS_STATE_H
#define COORDINATOR_PEERS_STATE_H

#include "common/map.h"
#include "coordinator/engine.h"
#include "coordinator/peer.h"
#include "coordinator/peers.h"

enum {
    // A worker gets a heartbeat this often, or as rarely as it sends its own.
    WORKER_BEAT_MS = 4 * WIRE_HEARTBEAT_MS,
};

// When it was last noted who is away (peers_beat.c).
struct peers_pulse {
    int64_t sent_ms; // when the last heartbeats were sent
    // How many connections had been lost by then, and how often a worker had
    // fallen silent.
    size_t lost;
    int64_t silences;
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
    bool clogged; // a client is clogged
    struct peers_pulse pulse;
};

// Makes the peer known by its routing id, its number and, for a worker, the
// worker's number. Returns false when out of memory, with nothing indexed.
bool peers_index(struct peers *peers, struct peer *peer);
// Makes a worker known by its instance too. When out of memory, or if the
// instance is taken by another key, it is known by its routing id alone.
void peers_index_instance(struct peers *peers, struct peer *peer,
                          const struct hello *hello);
void peers_unindex(struct peers *peers, const struct peer *peer);
void peers_release_index(struct peers *peers);

// Finds a peer by its own number; NULL if it is gone.
struct peer *peers_find_numbered(const struct peers *peers, int64_t number);

// Cuts off the clients that were found to be clogged while something was sent.
// Not done at once, because callers that send to several peers walk the list.
void peers_drop_clogged(struct peers *peers, int64_t now);

#endif
