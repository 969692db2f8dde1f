// mailbox: what one peer of a listener is sent, in as few frames and bytes as
// it can read.
//
// A coordinator may have fifty calls for a worker in the same turn, most of
// which begin with the same prefix. They leave in one frame (wire/outbox.h),
// and with the name of the prefix in place of its text where the peer has that
// (wire/prefixes.h). A peer that reads one message a frame, or keeps no
// prefixes, as its HELLO says, gets each message at once and whole.
//
//     mailbox_put, mailbox_put_call ... mailboxes_flush, once a turn
//
// What is in a mailbox when its peer is gone is lost, as on the network.
//
// One owner, one thread.

#ifndef WIRE_MAILBOX_H
#define WIRE_MAILBOX_H

#include <stdbool.h>

#include "common/err.h"
#include "common/hash.h"
#include "wire/message.h"
#include "wire/socket.h"

struct mailbox;

// Those of all peers.
struct mailboxes {
    struct wire_socket *socket; // borrowed
    struct mailbox *waiting;    // to be flushed; borrowed from their peers
};

// For the peer that greeted with hello. The owner is borrowed, and only handed
// back by mailboxes_flush. NULL without memory.
struct mailbox *mailbox_new(struct mailboxes *all, const struct wire_id *to,
                            const struct hello *hello, void *owner);
void mailbox_free(struct mailbox *mailbox); // NULL is fine

// False with ERR_LIMIT or ERR_NOMEM: the message cannot be sent to anyone.
// Else: the peer cannot be reached.
bool mailbox_put(struct mailbox *mailbox, const struct message *message,
                 struct err *err);

// The same for a CALL with the prefix of that name, which is left out where the
// peer has it. prefix is NULL for one that is sent whole in any case.
bool mailbox_put_call(struct mailbox *mailbox, const struct call_message *call,
                      const struct hash *prefix, struct err *err);

// The peer may have lost what it had of prefixes, or a call that brought one.
void mailbox_forget_prefixes(struct mailbox *mailbox);

// Sends what all mailboxes hold. NULL when that is done; else the owner of one
// whose peer cannot be reached, and err says why: to be called again then.
void *mailboxes_flush(struct mailboxes *all, struct err *err);

#endif
