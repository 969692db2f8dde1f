// outbox: messages to one peer that leave together, in one frame.
//
// Most of what a short message costs is being a frame: ZeroMQ allocates it
// twice, hands it from thread to thread, and over TCP it may be a system call
// at either end. A coordinator that has fifty calls for a worker in the same
// turn, or a worker that has several answers, sends one frame instead, if the
// other side has said that it reads such frames (`several` of HELLO and
// WELCOME).
//
//     outbox_put  outbox_put  outbox_put ... outbox_flush
//
// Whoever puts also flushes, before the end of its turn, so nothing waits for
// more to come. The order of messages is that of the puts; a message that is
// sent past the outbox may overtake what is in it. What is in an outbox when
// its peer is gone is lost, as on the network.
//
// One owner, one thread.

#ifndef WIRE_OUTBOX_H
#define WIRE_OUTBOX_H

#include "wire/socket.h"

// A frame is sent once it has so many bytes: few enough that the reader can
// begin while the rest is still being written.
enum { OUTBOX_BYTES = 16 << 10 };

struct outbox {
    struct buf bytes; // encoded; owned
};

#define OUTBOX_INIT                                                            \
    ((struct outbox){.bytes = BUF_INIT(WIRE_MAX_BYTES + (64 << 10))})

// Drops what is in it.
void outbox_release(struct outbox *outbox);

// As wire_send. False with ERR_LIMIT or ERR_NOMEM: this message cannot be sent
// to anyone, and what was put before is still there. Else: the frame that was
// full could not be sent, and the outbox is empty.
bool outbox_put(struct outbox *outbox, struct wire_socket *socket,
                const struct wire_id *to, const struct message *message,
                struct err *err);

// Sends what is in it. The outbox is empty then in any case, and its memory
// freed: most peers have nothing to say most of the time.
bool outbox_flush(struct outbox *outbox, struct wire_socket *socket,
                  const struct wire_id *to, struct err *err);

#endif
