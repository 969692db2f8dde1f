// mailbox: what is sent to one peer of a listener, in few frames and few bytes.
//
// A coordinator may have fifty calls for a worker in the same turn, most of
// which begin with the same prefix. They leave in one frame (wire/outbox.h),
// with the name of the prefix in place of its text if the peer has that text
// (wire/prefixes.h). A peer whose HELLO says that it reads one message per
// frame, or keeps no prefixes, gets each message at once and whole.
//
//     mailbox_put, mailbox_put_call ... mailboxes_flush, once a turn
//
// Whatever is still in a mailbox when its peer is gone is lost, as on the
// network.
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

// The mailboxes of all peers.
struct mailboxes {
    struct wire_socket *socket; // borrowed
    struct mailbox *waiting;    // have something to flush; borrowed
};

// Creates a mailbox for the peer that greeted with `hello`. The owner is
// borrowed, and only handed back by mailboxes_flush. Returns NULL when out of
// memory.
struct mailbox *mailbox_new(struct mailboxes *all, const struct wire_id *to,
                            const struct hello *hello, void *owner);
void mailbox_free(struct mailbox *mailbox); // accepts NULL

// Returns false on failure. With ERR_LIMIT or ERR_NOMEM the message cannot be
// sent to anyone; with any other error the peer cannot be reached.
bool mailbox_put(struct mailbox *mailbox, const struct message *message,
                 struct err *err);

// Like mailbox_put, for a CALL that has the prefix with that name. The text of
// the prefix is left out if the peer has it. If `prefix` is NULL, the CALL is
// always sent whole.
bool mailbox_put_call(struct mailbox *mailbox, const struct call_message *call,
                      const struct hash *prefix, struct err *err);

// The peer may have lost the prefixes that it had, or a call that brought one.
void mailbox_forget_prefixes(struct mailbox *mailbox);

// Sends what all mailboxes hold. Returns NULL when that is done. Otherwise it
// returns the owner of a mailbox whose peer cannot be reached, err says why,
// and the caller must call it again.
void *mailboxes_flush(struct mailboxes *all, struct err *err);

#endif
