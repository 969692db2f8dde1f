// socket: one ZeroMQ socket, speaking whole messages.
//
// Used by the coordinator (ROUTER) and by workers and clients (DEALER). Its
// options are set in wire/handle.h. One owner, one thread.
//
// Several messages to one peer may share a frame (wire/outbox.h), which
// wire_receive takes apart.
//
// A frame to the coordinator is short (WIRE_FRAME_BYTES), because anyone may
// connect there. A long message goes to it in PARTs, which wire_send makes and
// wire/assembly.h puts together. What the coordinator sends is always one
// frame.

#ifndef WIRE_SOCKET_H
#define WIRE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "wire/key.h"
#include "wire/message.h"

struct wire_socket;

enum { WIRE_ID_MAX = 64 };

// The routing identity of a peer.
struct wire_id {
    uint8_t len;
    uint8_t bytes[WIRE_ID_MAX];
};

// Creates a ZeroMQ context for sockets and gates; zmq_ctx_term ends it. Returns
// NULL on failure, usually because the process may not have the descriptors or
// the threads for it.
void *wire_context(struct err *err);

// `context` is a zmq context (borrowed). When binding, the endpoint
// "tcp://127.0.0.1:0" picks a port; a port that is in use is ERR_BUSY, and the
// error names it. With a key everything is encrypted by CURVE, and both sides
// authenticate each other; a listener with a key needs a gate (wire/gate.h)
// that was started before in the same context. A key of NULL or KEY_NONE means
// in the clear.
struct wire_socket *wire_bind(void *context, const char *endpoint,
                              const struct key *key, struct err *err);
// Makes the same socket accept peers at a second endpoint. wire_endpoint does
// not change.
bool wire_bind_also(struct wire_socket *socket, const char *endpoint,
                    struct err *err);
struct wire_socket *wire_connect(void *context, const char *endpoint,
                                 const struct key *key,
                                 const struct wire_id *id, struct err *err);
void wire_close(struct wire_socket *socket); // accepts NULL

const char *wire_endpoint(const struct wire_socket *socket); // as bound
void *wire_handle(struct wire_socket *socket);               // for zmq_poll

// For a loop that polls file descriptors: the descriptor becomes readable once
// when something *changes*. So wait for it only if wire_pending has returned
// false since the last send and receive.
int wire_fd(const struct wire_socket *socket);       // -1 on failure
bool wire_pending(const struct wire_socket *socket); // a message waits

// Returns true if a message can be sent now on a connected socket: there is a
// connection, and its queue has room.
bool wire_writable(const struct wire_socket *socket);

// Sends without blocking. `to` is NULL on a connected socket. Returns false
// with ERR_BUSY if the queue is full, ERR_IO if the peer is gone, and ERR_LIMIT
// if the message itself cannot be sent to anyone.
bool wire_send(struct wire_socket *socket, const struct wire_id *to,
               const struct message *message, struct err *err);

// Returns the size in bytes of the message that wire_send sent last.
size_t wire_sent_bytes(const struct wire_socket *socket);

// Like wire_send, for what message_encode has written: one message, or several
// in a row, which must be short then.
bool wire_send_encoded(struct wire_socket *socket, const struct wire_id *to,
                       const struct wire_frame *frame, struct err *err);

enum wire_got { WIRE_NOTHING, WIRE_MESSAGE, WIRE_BAD, WIRE_FAILED };

// Takes the next message without blocking. WIRE_BAD means that a peer sent an
// invalid message (`from` is valid, err says what is wrong). `from` may be NULL
// on a connected socket. Texts live in the arena.
enum wire_got wire_receive(struct wire_socket *socket, struct wire_id *from,
                           struct arena *arena, struct message *out,
                           struct err *err);

// wire_receive in two halves, for callers that look at the sender before the
// content: first take the frame, undecoded, then call message_take until it is
// empty. The bytes are borrowed until the next call.
enum wire_got wire_take(struct wire_socket *socket, struct wire_id *from,
                        struct wire_frame *out, struct err *err);

// Returns the descriptor of the connection that the last frame came over, or -1
// with inproc.
int wire_source(struct wire_socket *socket);

// Returns the public key of the connection that the last frame came over, or ""
// in the clear. Borrowed until the next call.
const char *wire_peer_key(struct wire_socket *socket);

#endif
