// inbox_state: the members of an inbox (inbox.h), for the files that implement
// it:
//
//   inbox.c        frames, messages and their handlers; who may say what
//   inbox_calls.c  what workers say of their calls

#ifndef COORDINATOR_INBOX_STATE_H
#define COORDINATOR_INBOX_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "coordinator/engine.h"
#include "coordinator/inbox.h"
#include "coordinator/peer.h"
#include "coordinator/peers.h"
#include "wire/assembly.h"
#include "wire/connections.h"
#include "wire/listener.h"
#include "wire/message.h"
#include "wire/socket.h"

struct inbox {
    struct peers *peers;             // borrowed
    struct engine *engine;           // the peers'
    struct listener *listener;       // the peers'
    struct wire_socket *socket;      // the listener's
    struct connections *connections; // the listener's
    struct inbox_handlers handlers;
    struct assemblies assemblies;
    int64_t received_ms; // when inbox_receive was last called
    int64_t stalled_ms;  // when that last turned out to be long ago
};

// A message on its way to its handler; before it is decoded, its frame.
struct arrival {
    struct inbox *inbox;
    const struct wire_id *from;
    struct peer *peer;   // NULL before HELLO
    struct arena *arena; // of the message
    const struct message *message;
    size_t part_bytes; // of a message that came in PARTs; else 0
    int64_t now;
};

#endif
