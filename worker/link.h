// link: what a worker says to its coordinator, and how the two part.
//
// If something cannot be said, the coordinator is lost: the worker is then
// APART, its leases are gone, and work that is already paid for is kept
// (held.h). So after saying something, a caller must check the result, or the
// state, before it continues.

#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include "worker/worker_state.h"

// --- held calls ---

// Drops a call, here and at the model server.
void link_drop(struct worker *worker, struct held *held);
void link_drop_calls(struct worker *worker, held_test *concerns);

// --- saying things ---

// Sends a message by the end of the turn. Returns false when the coordinator is
// lost. True does not mean that the message arrived: whatever may be lost on
// the way is said again later.
bool link_send(struct worker *worker, const struct message *message);
bool link_send_fault(struct worker *worker, int64_t id, enum call_fault fault,
                     const char *text);

// Names all leases that are held here. If one is missing, its CALL or its
// answer was lost, and the coordinator sends the call again. If they do not all
// fit into the message, it names none and does not say what is held.
bool link_send_heartbeat(struct worker *worker);
bool link_send_goodbye(struct worker *worker, size_t n_open);

// Gives the leases of the calls that `concerns` selects back to the
// coordinator.
bool link_hand_back(struct worker *worker, held_test *concerns,
                    const char *why);

// Sends what was said in this turn.
void link_flush(struct worker *worker);

// --- parting ---

// Closes the connection. Calls that have a key and are in progress or answered
// are kept for the next one; the others are dropped.
void link_part(struct worker *worker);

// Like link_part, for a coordinator that does not answer; the log says so.
void link_lose(struct worker *worker);

// The model server is gone or has other models: gives all leases back and says
// goodbye. The next greeting says what the server has by then.
void link_leave(struct worker *worker, const char *why);

#endif
