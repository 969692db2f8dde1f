// uplink: a worker's way to its coordinator.
//
// A socket with an identity of its own for each greeting, so that nothing that
// was meant for an earlier one can reach this one; the greeting's patience and
// the back-off between two of them; and what is said in a turn, which leaves in
// one frame once the coordinator has said that it reads such.
//
//          uplink_open, uplink_greet            uplink_welcomed
//   closed -------------------------> greeting ----------------> welcome
//     ^                                  |                          |
//     '------- uplink_close (backs off) -+--------------------------'
//
// The log says that it waits, is refused or was lost, but only once until it is
// welcome again: a coordinator may be away for days.
//
// One owner, one thread. Functions that send return false when the coordinator
// cannot be reached; the owner then closes.

#ifndef WORKER_UPLINK_H
#define WORKER_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "wire/key.h"
#include "wire/message.h"
#include "wire/socket.h"

struct uplink;

// The context and the name are borrowed, the key is copied; NULL: in the clear.
// The endpoint is copied, and refused when it is too long.
struct uplink *uplink_new(void *context, const char *endpoint, const char *name,
                          const struct key *key, struct err *err);
void uplink_free(struct uplink *uplink); // NULL is fine

const char *uplink_endpoint(const struct uplink *uplink);

// --- closed ---

// Whether it is time for another attempt; when, for who waits for it.
bool uplink_is_due(const struct uplink *uplink, int64_t now_ms);
int64_t uplink_due_ms(const struct uplink *uplink);
// No attempt before.
void uplink_delay(struct uplink *uplink, int64_t until_ms);

// Opens the socket. False, and the log says why, if that fails.
bool uplink_open(struct uplink *uplink, int64_t now_ms);
bool uplink_is_open(const struct uplink *uplink);

// --- greeting ---

// Says HELLO under a fresh epoch, unless it was said over this connection. Both
// this and uplink_say_hello fill in epoch, instance and greeting. The
// connection may not stand yet: then the next call tries again.
void uplink_greet(struct uplink *uplink, struct hello *hello);
bool uplink_has_greeted(const struct uplink *uplink);

// Whether the greeting has waited too long for an answer. uplink_due_ms says at
// which time that is.
bool uplink_is_in_vain(const struct uplink *uplink, int64_t now_ms);

// Tells the log why nobody welcomes us. If the reason may lie in keys, it makes
// a connection of its own to find out, once.
void uplink_tell_in_vain(struct uplink *uplink);

// REFUSED came.
void uplink_tell_refused(struct uplink *uplink, const struct refused *refused);

// --- welcome ---

void uplink_welcomed(struct uplink *uplink, const struct welcome *welcome);

// The same greeting once more, with other models. False: it could not be sent.
bool uplink_say_hello(struct uplink *uplink, struct hello *hello);

// Says that a coordinator that had welcomed us is not heard.
void uplink_tell_lost(struct uplink *uplink);

// Sent by the next uplink_flush at the latest.
bool uplink_send(struct uplink *uplink, const struct message *message);
bool uplink_flush(struct uplink *uplink);

// Whether the connection stands. If not, HELLO is to be said again over the
// next one.
bool uplink_stands(struct uplink *uplink);

// As wire_receive.
enum wire_got uplink_receive(struct uplink *uplink, struct arena *arena,
                             struct message *out, struct err *err);

// For poll, with whether something is here already. -1 while closed.
int uplink_fd(const struct uplink *uplink);
bool uplink_pending(const struct uplink *uplink);

// Sends what is left, which may be lost, and closes. The next attempt is due
// after a back-off, which doubles up to a second until uplink_welcomed.
void uplink_close(struct uplink *uplink, int64_t now_ms);

#endif
