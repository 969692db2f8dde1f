// listener: the socket that peers connect to, with its protections.
//
//     peer --- gate --- connections --- socket --> wire_take
//              who       how many,       frames
//              may       how long
//
// With a folder of keys (wire/key.h) the gate lets in only peers whose key is
// allowed, and each can act only in the role of its key. Without one,
// everything is said in the clear, and whoever reaches the port may be a worker
// or a client. Connections are limited so that enough descriptors are left for
// the files, programs and sockets of this process. A peer that connects over
// inproc is in this process and needs no key.
//
// One owner, one thread; the gate has a separate thread.

#ifndef WIRE_LISTENER_H
#define WIRE_LISTENER_H

#include <stdbool.h>

#include "common/err.h"
#include "wire/connections.h"
#include "wire/message.h"
#include "wire/socket.h"

struct listener;

// `keys` is the folder with the coordinator's key and the keys that it allows;
// NULL means in the clear. Returns NULL on failure.
struct listener *listener_open(void *zmq, const char *endpoint,
                               const char *keys, struct err *err);
void listener_close(struct listener *listener); // accepts NULL

// Both results are borrowed.
struct wire_socket *listener_socket(const struct listener *listener);
struct connections *listener_connections(const struct listener *listener);

// Returns true if the key that the last frame came with gives that role. If
// not, err says which key it is and which one is needed.
bool listener_gives_role(const struct listener *listener, enum peer_role role,
                         struct err *err);

// Returns true if the last frame came with that key: an identity is easily
// copied, a key is not. In the clear it always returns true.
bool listener_has_key(const struct listener *listener, const char *public_key);

// Returns true if keys were allowed or taken away since this was last called.
// Then ask listener_allows who may stay.
bool listener_keys_changed(struct listener *listener);
bool listener_allows(const struct listener *listener, const char *public_key,
                     enum peer_role role);

#endif
