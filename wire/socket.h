// socket: one ZeroMQ socket with our options set, speaking whole messages.
//
// Used by coordinator (ROUTER), worker and client (DEALER). All options of
// docs/protocol.md are set here and nowhere else: MAXMSGSIZE, ROUTER_MANDATORY,
// ROUTER_HANDOVER, reconnect back-off, a short LINGER, high-water marks. One
// owner, one thread.
//
// Several messages to one peer may share a frame (wire/outbox.h), which
// wire_receive takes apart.
//
// A frame to the coordinator is short (WIRE_FRAME_BYTES), for anyone may
// connect there; a long message goes to it in PARTs, which wire_send makes and
// wire/assembly.h puts together. What the coordinator sends is one frame.

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

// A ZeroMQ context, for sockets and gates; zmq_ctx_term ends it. NULL, above
// all where the process has no descriptors left.
void *wire_context(struct err *err);

// context is a zmq context (borrowed). bind: endpoint "tcp://127.0.0.1:0"
// picks a port; a port in use is ERR_BUSY and names it. With a key all is
// encrypted by CURVE, and the two sides know each other: a listener with a key
// needs a gate (wire/gate.h) in its context, started before. NULL, or
// KEY_NONE: in the clear.
struct wire_socket *wire_bind(void *context, const char *endpoint,
                              const struct key *key, struct err *err);
// The same socket takes peers at a second endpoint. wire_endpoint stays.
bool wire_bind_also(struct wire_socket *socket, const char *endpoint,
                    struct err *err);
struct wire_socket *wire_connect(void *context, const char *endpoint,
                                 const struct key *key,
                                 const struct wire_id *id, struct err *err);
void wire_close(struct wire_socket *socket); // NULL is fine

const char *wire_endpoint(const struct wire_socket *socket); // as bound
void *wire_handle(struct wire_socket *socket);               // for zmq_poll

// For a loop that polls file descriptors: the descriptor becomes readable when
// something *changes*, once. So wait on it only while wire_pending is false,
// asked after the last send and receive.
int wire_fd(const struct wire_socket *socket);       // -1 on failure
bool wire_pending(const struct wire_socket *socket); // a message waits

// Whether a message can be sent now on a connected socket: the connection
// stands, and its queue has room.
bool wire_writable(const struct wire_socket *socket);

// Sends without blocking. `to` is NULL on a connected socket. False with
// ERR_BUSY when the queue is full, ERR_IO when the peer is gone, and ERR_LIMIT
// when the message itself cannot be sent to anyone.
bool wire_send(struct wire_socket *socket, const struct wire_id *to,
               const struct message *message, struct err *err);

// Bytes of the message that wire_send sent last.
size_t wire_sent_bytes(const struct wire_socket *socket);

// The same for what message_encode has written: one message, or several one
// behind the other, which are short then.
bool wire_send_encoded(struct wire_socket *socket, const struct wire_id *to,
                       const struct wire_frame *frame, struct err *err);

enum wire_got { WIRE_NOTHING, WIRE_MESSAGE, WIRE_BAD, WIRE_FAILED };

// Takes the next message without blocking. WIRE_BAD: a peer sent nonsense
// (from is valid, err says what). from may be NULL on a connected socket.
// Texts live in arena.
enum wire_got wire_receive(struct wire_socket *socket, struct wire_id *from,
                           struct arena *arena, struct message *out,
                           struct err *err);

// The same in two halves, for one who looks at the sender before the content:
// first the frame, undecoded, then message_take until it is empty. The bytes
// are borrowed until the next call.
enum wire_got wire_take(struct wire_socket *socket, struct wire_id *from,
                        struct wire_frame *out, struct err *err);

// The descriptor of the connection that the last frame came over; -1 over
// inproc.
int wire_source(struct wire_socket *socket);

// The public key of the connection that the last frame came over; "" in the
// clear. Borrowed until the next call.
const char *wire_peer_key(struct wire_socket *socket);

// Why nobody answers at the endpoint, where that lies in keys: one side has
// one and the other none, or it is not allowed. Knocks there once more and
// waits up to a second. False: something else, such as that nobody is there.
bool wire_explain(void *context, const char *endpoint, const struct key *key,
                  struct err *err);

#endif
