// peers: the connected workers and clients, and the bounds they are kept in.
//
// A peer is known by its routing id from its HELLO until it says GOODBYE, is
// lost, or greets again with another epoch (it has restarted, and the calls it
// held go back to dispatch).
//
//            peers_add                   peers_remove
//   (none) -------------> worker here ----------------------------> (none)
//            peers_add                   peers_cut_off
//   (none) -------------> client here
//
// coordinator/inbox.h reads what a peer says, coordinator/greeting.h its HELLO;
// coordinator/delivery.h sends calls to workers. This part keeps the peers,
// under each name by which the loop looks one up, and ends a peer, whatever the
// reason: its calls go back to dispatch, and its connection is treated like a
// stranger's again.
//
// Anybody may connect to the port, and a peer may be malicious too. So
// everything that a peer can make grow has a bound:
//
//   * connections that do not greet: wire/connections.h;
//   * what a peer says without being asked, and long messages in PARTs:
//     coordinator/inbox.h, wire/assembly.h;
//   * workers, their slots and models: coordinator/workers.h; clients: here;
//   * what a client asks for but does not read waits in ZeroMQ's queue, which
//     is bounded in bytes per client and for all clients: here.
//
// A peer that exceeds its bounds is cut off: it is forgotten, its calls are
// asked elsewhere, and its connection is shut, with one line in the log. A
// client that is silent for CLIENT_MS (peers_beat.c) is forgotten. When the
// folder of allowed keys changes, peers whose key is no longer in it are cut
// off.
//
// Call only from the loop's thread.

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

// The listener is borrowed. Returns NULL when out of memory.
struct peers *peers_new(struct engine *engine, struct listener *listener,
                        struct err *err);
void peers_free(struct peers *peers); // accepts NULL

// --- clients ---

// How to find a peer again later, when it may be gone or have restarted.
struct peer_address {
    struct wire_id id;
    int64_t epoch;
};

struct peer_address peer_address(const struct peer *peer);

// Returns the peer with that address, or NULL if it is gone.
struct peer *peers_at(const struct peers *peers,
                      const struct peer_address *address);

// Sends to a client. Returns false if the client is gone, or reads too little
// of what it gets. Even then the peer stays until the next inbox_receive.
bool peers_tell(struct peers *peers, struct peer *peer,
                const struct message *message);

// Call these before and after reading a job that the client submitted.
// `running` is what the job has become: the client watches it from then on. It
// is NULL if the job could not begin.
void peer_begins_submission(struct peer *peer);
void peer_ends_submission(struct peer *peer, struct running_job *running);

// Returns the next client after `after` (NULL: the first) that watches
// `running`, or any running job if that is NULL.
struct peer *peers_next_watcher(const struct peers *peers,
                                const struct running_job *running,
                                const struct peer *after);
struct running_job *peer_watched(const struct peer *peer);
// Makes all clients stop watching this running job.
void peers_unwatch(struct peers *peers, const struct running_job *running);

// --- once a turn ---

// Sends heartbeats that are due. Removes peers that have been silent for too
// long, or whose key is no longer allowed.
void peers_beat(struct peers *peers, int64_t now);

// Forgets a worker that dispatch has given up.
void peers_drop_worker(struct peers *peers, int32_t worker, int64_t now);

// --- for the inbox, greeting.c and delivery.c, which see a peer (peer.h) ---

struct mailboxes;

struct peer *peers_find(const struct peers *peers, const struct wire_id *id);
struct peer *peers_find_worker(const struct peers *peers, int32_t number);
// Finds the worker of that instance, whatever connection it greeted on.
struct peer *peers_find_instance(const struct peers *peers, int64_t instance);

// Adds the sender of the last frame; a worker joins the engine's workers.
// Returns NULL with ERR_BUSY if there are too many, or NULL when out of memory.
struct peer *peers_add(struct peers *peers, const struct wire_id *id,
                       const struct hello *hello, int64_t now, struct err *err);

// Notes that the last frame of the peer came over this connection. If it is a
// new one, the old one may have broken, and what was in transit is lost.
void peers_note_connection(struct peers *peers, struct peer *peer);

// Ends a peer. state is what the store records for a worker: "left", "lost".
void peers_remove(struct peers *peers, struct peer *peer, const char *state,
                  int64_t now);
// Returns the peer's name for the log: a worker's name, or "a client"; "" for
// NULL.
const char *peers_name(const struct peer *peer);

// Ends a peer that misbehaves: its connection is shut too. Whatever it still
// sent is ignored (connections_admit).
void peers_cut_off(struct peers *peers, struct peer *peer, const char *why,
                   int64_t now);

// Acts on what was noticed during the turn: clients that do not read are cut
// off, and workers whose connection broke have to show that they are alive.
void peers_tend(struct peers *peers, int64_t now);

// Returns how often a worker that holds no call has to send a heartbeat.
int64_t peers_idle_ms(const struct peers *peers);

// Answers a frame with REFUSED and logs that. who is the name that the sender
// goes by, "" if it has not given one.
void peers_refuse(struct peers *peers, const struct wire_id *id,
                  const char *who, const char *code, const char *text);
// Like peers_refuse for a peer that has not greeted, but without a warning in
// the log: after a restart, every worker says something before it learns that
// it has to greet.
void peers_ask_to_greet(struct peers *peers, const struct wire_id *id);

struct mailboxes *peers_mailboxes(struct peers *peers);
struct engine *peers_engine(const struct peers *peers);
struct listener *peers_listener(const struct peers *peers);

#endif
