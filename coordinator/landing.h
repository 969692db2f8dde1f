// landing: an answer's way from its arrival to its waiters.
//
//   answer of a worker or a program
//        | landing_take: to the store's writer, as put n
//      landed
//        | ... n is durable (store_durable)
//        | landing_settle: the worker gets its credit back, and each waiter
//        |                 the answer (evaluation_feed)
//     closed
//
// No answer is used before it is durable: a decision based on it could not be
// repeated after a crash. Call only from the loop's thread.

#ifndef COORDINATOR_LANDING_H
#define COORDINATOR_LANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/call.h"
#include "common/err.h"

struct engine;
struct flight;

// Sends an answer on its way to disk; its text is borrowed. by is the name of
// the worker, or "exec". Returns false if it could not be put: then nobody gets
// it, and err says why.
bool landing_take(struct engine *engine, struct flight *flight, const char *by,
                  const struct call_answer *answer, struct err *err);

// Gives the answers that have become durable to all their waiters, as long as
// the turn has time.
void landing_settle(struct engine *engine, int64_t now);

#endif
