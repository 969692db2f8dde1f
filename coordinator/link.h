// link: the peers behind the ROUTER socket.
//
// A peer is known by its routing id from its HELLO until it says GOODBYE, is
// lost, or greets again with another epoch (it has started anew: what it held
// comes back). Frames of peers that have not greeted, and nonsense, are
// answered with REFUSED and a line in the log.
//
//            HELLO               GOODBYE, all answered / lost / new HELLO
//   (none) -------> worker here ----------------------------------> (none)
//            HELLO
//   (none) -------> client here
//
// What a message means is in its handler, a row of the table in link.c.

#ifndef COORDINATOR_LINK_H
#define COORDINATOR_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/map.h"
#include "coordinator/running_job.h"
#include "wire/message.h"
#include "wire/socket.h"

struct peer {
    struct wire_id id;
    enum peer_role role;
    int64_t epoch;
    struct worker_info *worker;  // of a worker: borrowed from the workers
    struct running_job *watched; // of a client: the job it waits for, or NULL
    struct peer *next;
};

struct link {
    struct engine *engine; // borrowed
    struct wire_socket *socket;
    struct map by_id;     // peers by their routing id
    struct map by_worker; // and by worker number
    struct peer *peers;   // owned
    int64_t beat_ms;      // when the last heartbeats were sent
};

// The rest of the loop, as the handlers need it.
struct link_handlers {
    void *user;
    // A job was submitted. The peer gets ACCEPTED or RESULT. The texts of
    // submit are in arena, which may be taken (and left empty).
    void (*submitted)(void *user, struct peer *peer,
                      const struct submit *submit, struct arena *arena);
    void (*commanded)(void *user, struct peer *peer,
                      const struct command *command);
    void (*answered)(void *user, struct flight *flight,
                     const struct worker_info *worker,
                     struct call_answer *answer);
};

bool link_open(struct link *link, struct engine *engine, void *zmq,
               const char *endpoint, struct err *err);
void link_close(struct link *link);

// Handles what has arrived, at most some hundred frames.
void link_receive(struct link *link, const struct link_handlers *handlers,
                  int64_t now);

// Heartbeats to all workers when it is time.
void link_beat(struct link *link, int64_t now);

// Sends a flight to a worker under a lease; a worker that cannot be reached
// leaves.
void link_send_call(struct link *link, const struct action *action,
                    const struct flight *flight, int64_t now);
void link_cancel(struct link *link, const struct action *action);
// Forgets a worker that dispatch holds for lost.
void link_drop(struct link *link, int32_t worker, int64_t now);

// The peer of that routing id, if it is still the one that had this epoch.
struct peer *link_find(const struct link *link, const struct wire_id *id,
                       int64_t epoch);

// Sends to a client. False when it is gone.
bool link_tell(struct link *link, const struct peer *peer,
               const struct message *message);

// No client watches this running job any more.
void link_unwatch(struct link *link, const struct running_job *running);

#endif
