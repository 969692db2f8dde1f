// coordinator_state: the members of a coordinator (coordinator.h), for the
// files that implement it, and for tests that inspect its engine between two
// turns:
//
//   coordinator.c          its parts, opened, connected and freed
//   coordinator_loop.c     one turn after another
//   coordinator_actions.c  what dispatch decides, carried out

#ifndef COORDINATOR_COORDINATOR_STATE_H
#define COORDINATOR_COORDINATOR_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "coordinator/clients.h"
#include "coordinator/coordinator.h"
#include "coordinator/engine.h"
#include "coordinator/inbox.h"
#include "coordinator/jobs.h"
#include "coordinator/peers.h"
#include "wire/inproc.h"
#include "wire/listener.h"

// What the loop noticed in earlier turns, to tell a halt from silence, and work
// from waiting (coordinator_loop.c).
struct coordinator_watch {
    int64_t turn_ms;  // when the last turn began
    int64_t check_ms; // when it last looked whether anybody is working
    int64_t faults;   // counted at that time
};

struct coordinator {
    struct engine engine;
    struct listener *listener; // owned, as are the next four
    struct peers *peers;
    struct inbox *inbox;
    struct jobs *jobs;
    struct clients *clients;
    struct coordinator_watch watch;
    void *control;       // the loop's end; owned
    void *control_owner; // the owner's end; owned
    char endpoint[256];
    char inside[INPROC_NAME_BYTES];
    pthread_t thread;
    bool started;
    atomic_bool ended;
};

#endif
