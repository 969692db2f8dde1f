// uplink: a worker's connection to its coordinator.
//
// It has a socket with a new identity for each greeting, so that nothing meant
// for an earlier one can reach this one. It keeps the greeting's patience and
// the back-off between two greetings. And it collects what is said in a turn,
// which is sent in one frame once the coordinator has said that it reads such
// frames.
//
//          uplink_open, uplink_greet            uplink_welcomed
//   closed -------------------------> greeting ----------------> welcome
//     ^                                  |                          |
//     '------- uplink_close (backs off) -+--------------------------'
//
// The log says that the worker waits, is refused or was lost, but only once
// until it is welcome again, since a coordinator may be away for days.
//
// One owner, one thread. Functions that send return false when the coordinator
// cannot be reached; the owner then closes the uplink.

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

// The context and the name are borrowed. The key is copied; NULL means in the
// clear. The endpoint is copied, and refused if it is too long.
struct uplink *uplink_new(void *context, const char *endpoint, const char *name,
                          const struct key *key, struct err *err);
void uplink_free(struct uplink *uplink); // accepts NULL

const char *uplink_endpoint(const struct uplink *uplink);

// --- closed ---

// Whether it is time for another attempt, and when it will be.
bool uplink_is_due(const struct uplink *uplink, int64_t now_ms);
int64_t uplink_due_ms(const struct uplink *uplink);
// Makes no attempt before that time.
void uplink_delay(struct uplink *uplink, int64_t until_ms);

// Opens the socket. Returns false if that fails, and the log says why.
bool uplink_open(struct uplink *uplink, int64_t now_ms);
bool uplink_is_open(const struct uplink *uplink);

// --- greeting ---

// Says HELLO under a fresh epoch, unless it was already said over this
// connection. Both this and uplink_say_hello fill in epoch, instance and
// greeting. If there is no connection yet, the next call tries again.
void uplink_greet(struct uplink *uplink, struct hello *hello);
bool uplink_has_greeted(const struct uplink *uplink);

// Returns true if the greeting has waited too long for an answer. uplink_due_ms
// says when that will be.
bool uplink_is_unanswered(const struct uplink *uplink, int64_t now_ms);

// Tells the log why nobody welcomes us. If the reason may lie in keys, it makes
// a separate connection to find out, once.
void uplink_log_unanswered(struct uplink *uplink);

// Handles REFUSED.
void uplink_log_refused(struct uplink *uplink, const struct refused *refused);

// --- welcome ---

// Call when a WELCOME has come: back-off and patience start anew, and the log
// may report the next loss.
void uplink_welcomed(struct uplink *uplink, const struct welcome *welcome);

// Repeats the greeting with other models. Returns false if it could not be
// sent.
bool uplink_say_hello(struct uplink *uplink, struct hello *hello);

// Tells the log that nothing is heard from the coordinator that had welcomed
// us.
void uplink_log_lost(struct uplink *uplink);

// The message is sent by the next uplink_flush at the latest.
bool uplink_send(struct uplink *uplink, const struct message *message);
bool uplink_flush(struct uplink *uplink);

// Returns true if there is a connection. If not, HELLO must be said again over
// the next one.
bool uplink_is_up(struct uplink *uplink);

// Like wire_receive.
enum wire_got uplink_receive(struct uplink *uplink, struct arena *arena,
                             struct message *out, struct err *err);

// For poll, together with whether something is pending already. The descriptor
// is -1 while the uplink is closed.
int uplink_fd(const struct uplink *uplink);
bool uplink_pending(const struct uplink *uplink);

// Sends what is left, which may be lost, and closes. The next attempt is due
// after a back-off, which doubles up to a second until uplink_welcomed.
void uplink_close(struct uplink *uplink, int64_t now_ms);

#endif
