// peers: the workers and clients that are here, and how they are kept in
// bounds.
//
// A peer is known by its routing id from its HELLO until it says GOODBYE, is
// lost, or greets again with another epoch (it has started anew: what it held
// comes back).
//
//            peers_add                   peers_remove
//   (none) -------------> worker here ----------------------------> (none)
//            peers_add                   peers_cut_off
//   (none) -------------> client here
//
// What a peer says is read in coordinator/inbox.h, its HELLO in
// coordinator/greeting.h; what a worker is sent is in coordinator/delivery.h.
// Here is who is here, under each name by which the loop looks for it, and the
// end of a peer, whatever the reason: its calls go back to dispatch, its
// connection is a stranger's again.
//
// Anybody may connect to the port, and a peer may mean harm as well. So
// everything that a peer can make grow has a bound:
//
//   * connections that do not greet: wire/connections.h;
//   * what a peer says without being asked, and long messages in PARTs:
//     coordinator/inbox.h, wire/assembly.h;
//   * workers, their slots and models: coordinator/workers.h; clients: here;
//   * what a client asks for and does not read waits in ZeroMQ's queue, and has
//     a bound in bytes a client, and one for all: here.
//
// A peer that goes beyond is cut off: forgotten, its calls asked elsewhere, its
// connection shut, with one line in the log. A client that is silent for
// CLIENT_MS (peers.c) is forgotten. When the folder of allowed keys changes,
// peers whose key is no longer in it are cut off.
//
// All of this belongs to the coordinator's loop.

#ifndef COORDINATOR_PEERS_H
#define COORDINATOR_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "wire/listener.h"
#include "wire/message.h"
#include "wire/socket.h"

struct engine;
struct running_job;
struct peer;
struct peers;

// The listener is borrowed. NULL without memory.
struct peers *peers_new(struct engine *engine, struct listener *listener,
                        struct err *err);
void peers_free(struct peers *peers); // NULL is fine

// --- clients ---

// How to find a peer again later, when it may be gone or have started anew.
struct peer_address {
    struct wire_id id;
    int64_t epoch;
};

struct peer_address peer_address(const struct peer *peer);

// The peer of that address, while it is here; else NULL.
struct peer *peers_at(const struct peers *peers,
                      const struct peer_address *address);

// Sends to a client. False when it is gone, or reads too little of what it
// gets. The peer stays in any case until the next inbox_receive.
bool peers_tell(struct peers *peers, struct peer *peer,
                const struct message *message);

// Around the reading of a job that the client submitted. At its end the job has
// become `running`, which the client watches from then on, or NULL if it could
// not begin.
void peer_begins_submission(struct peer *peer);
void peer_ends_submission(struct peer *peer, struct running_job *running);

// The next client after `after` (NULL: the first) that watches a running job:
// any, or the one that is given.
struct peer *peers_next_watcher(const struct peers *peers,
                                const struct running_job *running,
                                const struct peer *after);
struct running_job *peer_watched(const struct peer *peer);
// Nobody watches this running job any more.
void peers_unwatch(struct peers *peers, const struct running_job *running);

// --- once a turn ---

// Sends heartbeats that are due. Removes peers that have been silent for too
// long, or whose key is no longer allowed.
void peers_beat(struct peers *peers, int64_t now);

// Forgets a worker that dispatch has given up.
void peers_drop_worker(struct peers *peers, int32_t worker, int64_t now);

// --- for inbox.c, greeting.c and delivery.c, which see a peer (peer.h) ---

struct mailboxes;

struct peer *peers_find(const struct peers *peers, const struct wire_id *id);
struct peer *peers_worker(const struct peers *peers, int32_t number);
// The worker of that instance, whatever connection it greeted over.
struct peer *peers_instance(const struct peers *peers, int64_t instance);

// Adds the sender of the last frame; a worker joins the engine's workers. NULL
// with ERR_BUSY when there are too many, or without memory.
struct peer *peers_add(struct peers *peers, const struct wire_id *id,
                       const struct hello *hello, int64_t now, struct err *err);

// The last frame of the peer came over this connection: the one before may have
// broken, and what was on its way is lost.
void peers_note_connection(struct peers *peers, struct peer *peer);

// The end of a peer. state is what the store says of a worker: "left", "lost".
void peers_remove(struct peers *peers, struct peer *peer, const char *state,
                  int64_t now);
// For the log: a worker's name, or "a client"; "" for nobody, NULL.
const char *peers_name(const struct peer *peer);

// The peer is a nuisance: its connection is shut too. Whatever it still sent is
// ignored (connections_admit).
void peers_cut_off(struct peers *peers, struct peer *peer, const char *why,
                   int64_t now);

// Acts on what was noticed during the turn: clients that do not read are cut
// off, and workers whose connection broke have to show that they live.
void peers_tend(struct peers *peers, int64_t now);

// How often a worker that holds no call is to beat.
int64_t peers_idle_ms(const struct peers *peers);

// Answers a frame of somebody with REFUSED, and tells of it in the log: who is
// how he calls himself, "" where he has not said.
void peers_refuse(struct peers *peers, const struct wire_id *id,
                  const char *who, const char *code, const char *text);
// The same to a peer that has not greeted, without a warning in the log: after
// a restart, every worker says something before it learns that it has to greet.
void peers_ask_to_greet(struct peers *peers, const struct wire_id *id);

struct mailboxes *peers_mailboxes(struct peers *peers);
struct engine *peers_engine(const struct peers *peers);
struct listener *peers_listener(const struct peers *peers);

#endif
