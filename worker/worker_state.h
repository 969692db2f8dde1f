// worker_state: what a worker consists of, for the files that implement it.
//
// These are link.c (what it says), work.c (its calls), states.c (a turn),
// orders.c (what it is told) and worker.c (its thread). All others see only
// worker.h.

#ifndef WORKER_WORKER_STATE_H
#define WORKER_WORKER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/arena.h"
#include "common/buf.h"
#include "wire/prefixes.h"
#include "worker/held.h"
#include "worker/pulse.h"
#include "worker/restart.h"
#include "worker/server_watch.h"
#include "worker/uplink.h"
#include "worker/worker.h"
#include "worker/worker_speed.h"

enum { WORKER_NAME_BYTES = 128 };

enum worker_state { APART, GREETING, SERVING, DRAINING, ENDED }; // states.h

struct worker {
    // Set before the thread starts.
    char name[WORKER_NAME_BYTES];
    struct model_address address;
    struct model_client *client; // owned; others may only call model_wake
    int64_t idle_ms;             // longest time without a call; 0: no limit
    pthread_t thread;

    atomic_bool drain;
    atomic_bool ended;
    atomic_bool served; // a WELCOME has ever come

    // For worker_get_health:
    atomic_bool serving;
    atomic_llong turned_ms;
    atomic_llong answered_ms; // -1: never

    // Used only by the worker's thread:
    enum worker_state state;
    struct uplink *uplink;         // owned
    struct pulse pulse;            // of the heartbeats that go over it
    struct server_watch *watch;    // owned
    struct arena arena;            // for the message being read
    struct kept_prefixes prefixes; // of calls, from this coordinator
    struct buf lacks;              // leases of calls whose prefix is not known
    struct held_list held;
    struct worker_speed speed;
    int64_t welcome_ms; // when the coordinator welcomed us
    int64_t busy_ms;    // the server is asked nothing before this time
    struct guest guest;
    bool told_stepping_back;
    bool steps_back; // it drains as a guest, and will come back
    struct restart restart;
};

#endif
