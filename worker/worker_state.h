// worker_state: what a worker is made of, for the files that make it up: link.c
// (what it says), work.c (its calls), states.c (a turn), orders.c (what it is
// told) and worker.c (its thread). Others see worker.h alone.

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
    struct model_client *client; // owned; only model_wake from outside
    int64_t idle_ms;             // ends after so long without a call; 0: never
    pthread_t thread;

    atomic_bool drain;
    atomic_bool ended;
    atomic_bool served; // a WELCOME has come, ever

    // For worker_look.
    atomic_bool serving;
    atomic_llong turned_ms;
    atomic_llong answered_ms; // -1: never

    // The thread's own.
    enum worker_state state;
    struct uplink *uplink;         // owned
    struct pulse pulse;            // of what is said over it
    struct server_watch *watch;    // owned
    struct arena arena;            // of the message being read
    struct kept_prefixes prefixes; // of calls, from this coordinator
    struct buf lacks;              // leases of calls without a known prefix
    struct held_list held;
    struct worker_speed speed;
    int64_t welcome_ms; // when the coordinator took us in
    int64_t busy_ms;    // nothing is asked of the server before
    struct guest guest;
    bool told_unwanted;
    bool steps_back; // the draining is a guest's, and not the end
    struct restart restart;
};

#endif
