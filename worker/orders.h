// orders: what a coordinator says to its worker; a handler a message.

#ifndef WORKER_ORDERS_H
#define WORKER_ORDERS_H

#include "worker/worker_state.h"

// Takes all there is: ZeroMQ's descriptor tells of a change only once.
void orders_receive(struct worker *worker);

// Tells which calls came without a prefix that is known here: all of them in
// one message, so that the prefix comes once. Beyond its cap the buffer is
// empty: then the next heartbeats tell, by what they do not name.
void orders_tell_lacks(struct worker *worker);

#endif
