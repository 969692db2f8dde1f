// link: what a worker says to its coordinator, and how the two part.
//
// Whatever cannot be said loses the coordinator: the worker is then APART, its
// leases are gone, and what is paid for is kept (held.h). So whoever says
// something looks at what it returns, or at the state, before it goes on.

#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include "worker/worker_state.h"

// --- held calls ---

// Drops a call, here and at the model server.
void link_drop(struct worker *worker, struct held *held);
void link_drop_calls(struct worker *worker, held_test *concerns);

// --- what is said ---

// Sent by the end of the turn. False when the coordinator is lost. What is on
// its way is held like all that is sent: it may be lost, and then it is said
// again.
bool link_send(struct worker *worker, const struct message *message);
bool link_send_fault(struct worker *worker, int64_t id, enum call_fault fault,
                     const char *text);

// Names all leases that are here: the coordinator sends again what is missing,
// for its CALL was lost, or the answer. More than fit are not named.
bool link_send_heartbeat(struct worker *worker);
bool link_send_goodbye(struct worker *worker, size_t n_open);

// Gives leases back.
bool link_hand_back(struct worker *worker, held_test *concerns,
                    const char *why);

// Sends what was said in this turn.
void link_flush(struct worker *worker);

// --- parting ---

void link_part(struct worker *worker);

// The same, of a coordinator that does not answer, and told in the log.
void link_lose(struct worker *worker);

// The model server is gone or has become another one: what is here goes back,
// and a new greeting says what is there then.
void link_leave(struct worker *worker, const char *why);

#endif
