// outbox: messages to one peer that leave together, in one frame.
//
// Most of the cost of a short message is that of being a frame: ZeroMQ
// allocates it twice and hands it from thread to thread, and over TCP it may
// need a system call at either end. A coordinator that has fifty calls for a
// worker in the same turn, or a worker that has several answers, sends one
// frame instead, if the other side has said that it reads such frames
// (`several` in HELLO and WELCOME).
//
//     outbox_put  outbox_put  outbox_put ... outbox_flush
//
// Whoever puts a message also flushes before the end of its turn, so nothing
// waits for more to come. Messages keep the order of the puts; one that is sent
// directly may overtake those in the outbox. Whatever is still in an outbox
// when its peer is gone is lost, as on the network.
//
// One owner, one thread.

#ifndef WIRE_OUTBOX_H
#define WIRE_OUTBOX_H

#include "wire/socket.h"

// A frame is sent once it has this many bytes: few enough that the reader can
// begin while the rest is still being written.
enum { OUTBOX_BYTES = 16 << 10 };

struct outbox {
    struct buf bytes; // encoded; owned
};

#define OUTBOX_INIT                                                            \
    ((struct outbox){.bytes = BUF_INIT(WIRE_MAX_BYTES + (64 << 10))})

// Drops the messages in the outbox.
void outbox_release(struct outbox *outbox);

// Like wire_send. Returns false on failure. With ERR_LIMIT or ERR_NOMEM this
// message cannot be sent to anyone, and the earlier ones are still in the
// outbox. With any other error the full frame could not be sent, and the outbox
// is empty.
bool outbox_put(struct outbox *outbox, struct wire_socket *socket,
                const struct wire_id *to, const struct message *message,
                struct err *err);

// Sends the messages in the outbox. In any case the outbox is then empty, and
// its memory freed, since most peers are sent nothing most of the time.
bool outbox_flush(struct outbox *outbox, struct wire_socket *socket,
                  const struct wire_id *to, struct err *err);

#endif
