// link: the peers behind the ROUTER socket.
//
// A peer is known by its routing id from its HELLO until it says GOODBYE, is
// lost, or greets again with another epoch (it has started anew: what it held
// comes back). A worker that parted from a connection and greets over another
// one is the same worker all the same, by its instance: its former peer goes.
// In a crowd that comes at once its former HELLO may even arrive after the
// later one, from a connection that is closed by then; it is passed over.
// Frames of peers that have not greeted, and nonsense, are answered with
// REFUSED and a line in the log.
//
//            HELLO               GOODBYE, all answered / lost / new HELLO
//   (none) -------> worker here ----------------------------------> (none)
//            HELLO
//   (none) -------> client here
//
// What a message means is in its handler, a row of the table in link.c.
//
// Anybody may connect to the port, and a peer may mean harm as well. So all
// that a peer can make grow is counted. Connections that do not greet:
// wire/connections.h. What a peer says without being asked (heartbeats,
// greetings, commands, answers under no lease of its own) takes tokens from
// its bucket, by the row of the message; answers to calls that it holds are
// free. What a client asks for and does not read waits in ZeroMQ's queue, and
// has a bound in bytes a client, and one for all. Long messages in PARTs have a
// budget of bytes a peer, and one for all. Workers, their slots and models, and
// clients are limited in number. A peer that goes beyond is cut off: forgotten,
// its calls asked elsewhere, its connection shut, with one line in the log. A
// client that is silent for CLIENT_MS (link.c) is forgotten.
//
// With keys (wire/key.h) the gate lets in only peers whose key is allowed. A
// peer has the role of its key, and all its messages must come over a
// connection with that key. When the folder of allowed keys changes, peers
// whose key is no longer in it are cut off.

#ifndef COORDINATOR_LINK_H
#define COORDINATOR_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/map.h"
#include "common/token_bucket.h"
#include "coordinator/running_job.h"
#include "wire/assembly.h"
#include "wire/connections.h"
#include "wire/key.h"
#include "wire/listener.h"
#include "wire/message.h"
#include "wire/outbox.h"
#include "wire/prefixes.h"
#include "wire/socket.h"

struct peer {
    int64_t number; // from 1; of no other peer
    struct wire_id id;
    enum peer_role role;
    int64_t epoch;
    int64_t instance, greeting;  // of a worker, as its HELLO says; or 0
    struct worker_info *worker;  // of a worker: borrowed from the workers
    struct running_job *watched; // of a client: the job it waits for, or NULL
    int submissions;             // of a client: that are being read
    int fd;                      // of its connection; -1: in this process
    char key[KEY_BYTES];         // its public key; "" in the clear
    int64_t heard_ms;
    int64_t idle_ms; // between its heartbeats while it holds no call
    int64_t beat_ms; // when it is to hear one
    struct token_bucket messages;   // that it may send unasked
    struct token_bucket bytes;      // that it may send in PARTs
    struct assembly *assembly;      // owned; of messages in PARTs, or NULL
    bool several;                   // it reads frames of several messages
    struct outbox outbox;           // CALLs and CANCELs to it, until link_flush
    struct known_prefixes prefixes; // that a worker has
    bool to_flush;                  // it is in that list of the link
    struct peer *next_to_flush;
    bool glutted; // it does not read what it asked for, and is to go
    struct peer *next, *before;
};

struct link {
    struct engine *engine;           // borrowed
    struct listener *listener;       // owned
    struct wire_socket *socket;      // the listener's
    struct connections *connections; // the listener's
    struct map by_id;                // peers by their routing id
    struct map by_worker;            // and by worker number
    struct map by_instance;          // workers that say which they are
    struct peer *peers;              // owned
    struct peer *to_flush;           // those whose outbox may hold something
    int64_t last_peer;               // number of the last one
    size_t n_clients;
    struct assemblies assemblies;
    bool glutted;              // a client is
    struct token_bucket notes; // rows about workers that go to the store
    int64_t beat_ms;           // when the last heartbeats were sent
    int64_t received_ms;       // when link_receive was last called
    int64_t stalled_ms;        // when that was found to be long ago
};

// The rest of the loop, as the handlers need it.
struct link_handlers {
    void *user;
    // A job was submitted. The peer gets ACCEPTED or RESULT. The texts of
    // submit are in arena, which may be taken (and left empty).
    void (*submitted)(void *user, struct peer *peer,
                      const struct submit *submit, struct arena *arena);
    // The same, still encoded: it is long. The bytes may be taken.
    void (*submitted_long)(void *user, struct peer *peer, struct buf *bytes);
    void (*commanded)(void *user, struct peer *peer,
                      const struct command *command);
    void (*answered)(void *user, struct flight *flight,
                     const struct worker_info *worker,
                     struct call_answer *answer);
    void (*side_call_answered)(void *user, struct side_call *side,
                               const struct call_answer *answer);
};

// keys is the folder with the coordinator's key and those that it allows;
// NULL: in the clear.
bool link_open(struct link *link, struct engine *engine, void *zmq,
               const char *endpoint, const char *keys, struct err *err);
void link_close(struct link *link);

// Something happened to a connection: for zmq_poll, beside the socket.
void *link_monitor(const struct link *link);

// Handles what has arrived, at most some hundred frames, and tells dispatch
// when there is nothing left to hear.
void link_receive(struct link *link, const struct link_handlers *handlers,
                  int64_t now);

// Heartbeats to those peers whose turn it is. Those to workers tell how often
// one that holds no call is to beat.
void link_beat(struct link *link, int64_t now);

// Sends a flight to a worker under a lease, by link_flush at the latest. False,
// with err, when the call itself cannot be put into a message: no worker will
// ever get it. A worker that cannot be reached leaves, and the call comes back
// by dispatch.
bool link_send_call(struct link *link, const struct action *action,
                    const struct flight *flight, int64_t now, struct err *err);
bool link_send_side_call(struct link *link, const struct action *action,
                         const struct side_call *side, int64_t now,
                         struct err *err);
// Asks workers for what they are to show when they join (proof.h).
void link_send_proofs(struct link *link, int64_t now);
void link_cancel(struct link *link, const struct action *action);
// To be called once a turn: what was to be sent leaves now.
void link_flush(struct link *link, int64_t now);
// Forgets a worker that dispatch has given up.
void link_drop(struct link *link, int32_t worker, int64_t now);

// The peer of that routing id, if it is still the one that had this epoch.
struct peer *link_find(const struct link *link, const struct wire_id *id,
                       int64_t epoch);

// Sends to a client. False when it is gone, or reads too little of what it
// gets. The peer stays in any case until link_receive.
bool link_tell(struct link *link, struct peer *peer,
               const struct message *message);

// No client watches this running job any more.
void link_unwatch(struct link *link, const struct running_job *running);

#endif
