// peer: what the loop knows of one connected worker or client.
//
// This header is for the files that keep peers (peers_state.h), listen to them
// (inbox_state.h, greeting.c) and send them calls (delivery.c). All others use
// what coordinator/peers.h offers.

#ifndef COORDINATOR_PEER_H
#define COORDINATOR_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/token_bucket.h"
#include "wire/assembly.h"
#include "wire/key.h"
#include "wire/mailbox.h"
#include "wire/message.h"
#include "wire/socket.h"

struct running_job;
struct worker_info;

struct peer {
    // from its HELLO on
    int64_t number; // from 1; unique to this peer
    struct wire_id id;
    enum peer_role role;
    int64_t epoch;
    int64_t instance, greeting; // of a worker, from its HELLO; else 0
    char key[KEY_BYTES];        // its public key; "" without keys
    struct worker_info *worker; // of a worker; borrowed from the workers
    int fd;                     // of its connection; -1: in this process

    // of a client
    struct running_job *watched; // the job that it follows, or NULL
    int submissions;             // how many are being read now
    bool clogged; // it does not read what it asked for, and has to go

    // what it says
    int64_t heard_ms;
    struct token_bucket messages; // that it may send unasked
    struct token_bucket bytes;    // that it may send in PARTs
    struct assembly *assembly;    // owned; of messages in PARTs, or NULL

    // what it is sent
    struct mailbox *mailbox; // owned
    int64_t idle_ms;         // between its heartbeats while it holds no call
    int64_t beat_ms;         // when the next heartbeat to it is due

    struct peer *next, *before;
};

#endif
