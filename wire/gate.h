// gate: who may connect to a listener that has a key.
//
// ZeroMQ asks a handler (ZAP, RFC 27) about each CURVE handshake before the
// peer can say a word. This is ours, in a separate thread, so that a busy loop
// keeps nobody waiting. A peer is let in if its public key is in a .pub file of
// the folder.
//
// The folder is checked every second, and also before an unknown key is
// refused, so that a new key works at once (unless unknown keys come so often
// that checking would take more than a 20th of a core). gate_changes grows when
// a key was added or removed. The owner of the listener then asks gate_find
// about its connected peers, and cuts off those that are no longer allowed. If
// the folder is gone, nobody is allowed. If it cannot be read (the disk fails,
// or there are no descriptors), the last known keys remain valid, and the log
// says so. A file that is not a key allows nobody, which the log says too.
//
// wire_peer_key returns the key that a message came with; libzmq keeps it with
// the connection. There is one gate per ZeroMQ context.

#ifndef WIRE_GATE_H
#define WIRE_GATE_H

#include <stdbool.h>

#include "common/err.h"
#include "wire/key.h"

struct gate;

enum { GATE_KEYS_MOST = 65536 };

// Call it before the listener is bound; the folder must exist.
struct gate *gate_start(void *context, const char *folder, struct err *err);
// Call it after the listener was closed. Accepts NULL.
void gate_stop(struct gate *gate);

// These may be called from any thread.
unsigned gate_changes(const struct gate *gate);
// Finds what the public key is allowed: its role and name. Returns false if it
// is not allowed.
bool gate_find(struct gate *gate, const char *public_key, struct key *out);

#endif
