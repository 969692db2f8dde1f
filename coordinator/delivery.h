// delivery: the calls that go to workers, and their cancellation.
//
// A call goes into its worker's mailbox (wire/mailbox.h) and leaves with all
// other calls of the turn in delivery_flush. A worker that cannot be reached is
// removed (peers.h) and dispatch places its calls elsewhere, so the sender need
// not know. The only failure that is reported is a call that does not fit into
// any message, since no worker could ever get it.
//
//   dispatch_next --> delivery_send_call ---. delivery_flush
//   proofs_next   --> delivery_send_proofs --+--------------> worker
//   dispatch      --> delivery_cancel ------'
//   what a worker lacks --> delivery_send_again
//
// It has no state of its own: dispatch and the mailboxes know what is in
// flight.

#ifndef COORDINATOR_DELIVERY_H
#define COORDINATOR_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct action;
struct flight;
struct peers;
struct side_call;

// Sends a flight, or a call outside of jobs, to the worker of the action and
// under its lease. Returns false, with err, if it does not fit into a message.
bool delivery_send_call(struct peers *peers, const struct action *action,
                        const struct flight *flight, int64_t now,
                        struct err *err);
bool delivery_send_side_call(struct peers *peers, const struct action *action,
                             const struct side_call *side, int64_t now,
                             struct err *err);

// Sends again what the action sent before and was lost on its way.
void delivery_send_again(struct peers *peers, const struct action *action,
                         int64_t now);

// Asks workers for the proofs that they owe when they join (proof.h).
void delivery_send_proofs(struct peers *peers, int64_t now);

// Tells the worker that the lease is not wanted any more; does nothing if the
// worker is gone.
void delivery_cancel(struct peers *peers, const struct action *action);

// Sends everything that is waiting to leave. Call once per turn.
void delivery_flush(struct peers *peers, int64_t now);

#endif
