// link: what a worker says to its coordinator, and how the two part.
//
// If something cannot be said, the coordinator is lost: the worker is APART,
// its leases are gone, and what is paid for is kept (held.h). So after saying
// something, a caller checks the result, or the state, before it goes on.

#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include "worker/worker_state.h"

// --- held calls ---

// Drops a call, here and at the model server.
void link_drop(struct worker *worker, struct held *held);
void link_drop_calls(struct worker *worker, held_test *concerns);

// --- what is said ---

// Sends a message by the end of the turn. False when the coordinator is lost.
// True does not mean that it arrived: whatever may be lost on its way is said
// again later.
bool link_send(struct worker *worker, const struct message *message);
bool link_send_fault(struct worker *worker, int64_t id, enum call_fault fault,
                     const char *text);

// Names all leases that are here: the coordinator sends again what is missing,
// for its CALL was lost, or the answer. More than fit are not named.
bool link_send_heartbeat(struct worker *worker);
bool link_send_goodbye(struct worker *worker, size_t n_open);

// Gives the leases of the calls that `concerns` chooses back to the
// coordinator.
bool link_hand_back(struct worker *worker, held_test *concerns,
                    const char *why);

// Sends what was said in this turn.
void link_flush(struct worker *worker);

// --- parting ---

void link_part(struct worker *worker);

// The same for a coordinator that does not answer, which the log says.
void link_lose(struct worker *worker);

// The model server is gone or has other models: gives all leases back and says
// goodbye. The next greeting says what the server has then.
void link_leave(struct worker *worker, const char *why);

#endif
