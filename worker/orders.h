// orders: what a coordinator tells its worker, with one handler per message.

#ifndef WORKER_ORDERS_H
#define WORKER_ORDERS_H

#include "worker/worker_state.h"

// Reads all pending messages, because ZeroMQ's descriptor signals a change only
// once.
void orders_receive(struct worker *worker);

// Reports which calls came without a prefix that is known here, all in one
// message, so that the coordinator sends the prefix once. If the buffer went
// beyond its cap it is empty; then the coordinator notices from the next
// heartbeats, which do not name these leases.
void orders_report_lacks(struct worker *worker);

#endif
