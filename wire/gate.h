// gate: who may connect to a listener that has a key.
//
// ZeroMQ asks a handler (ZAP, RFC 27) about each CURVE handshake before the
// peer can say a word; this is ours, in a thread of its own, so that a busy
// loop keeps nobody waiting. A peer is let in when its public key is in a .pub
// file of the folder.
//
// The folder is looked at each second, and gate_changes grows when a key was
// added or removed. The owner of the listener then asks gate_find about the
// peers that are here, and cuts off those that are no longer allowed. A folder
// that is gone allows nobody. If it cannot be read (the disk fails, there are
// no descriptors), the keys known last remain valid, and the log says so. A
// file that is no key allows nobody, which the log says too.
//
// The key with which a message came is told by wire_peer_key: libzmq keeps it
// with the connection. One gate a ZeroMQ context.

#ifndef WIRE_GATE_H
#define WIRE_GATE_H

#include <stdbool.h>

#include "common/err.h"
#include "wire/key.h"

struct gate;

enum { GATE_KEYS_MOST = 65536 };

// Before the listener is bound; the folder must be there.
struct gate *gate_start(void *context, const char *folder, struct err *err);
void gate_stop(struct gate *gate); // after it was closed; NULL is fine

// Any thread.
unsigned gate_changes(const struct gate *gate);
// What the public key is allowed: its role and name. False: nothing.
bool gate_find(struct gate *gate, const char *public_key, struct key *out);

#endif
