// landing: an answer's way from its arrival to those who wait for it.
//
//   answer of a worker or a program
//        | landing_take: to the store's writer, as put n
//      landed
//        | ... n is durable (store_durable)
//        | landing_settle: the worker gets its credit back, and each waiter
//        |                 the answer (evaluation_feed)
//     closed
//
// No answer is used before it is durable: what was decided with it could not be
// decided again after a crash. Belongs to the coordinator's loop.

#ifndef COORDINATOR_LANDING_H
#define COORDINATOR_LANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/call.h"
#include "common/err.h"

struct engine;
struct flight;

// An answer is on its way to disk; its text is borrowed. by is the name of the
// worker, or "exec". False: it could not be put, nobody will hear of it, and
// err says why.
bool landing_take(struct engine *engine, struct flight *flight, const char *by,
                  const struct call_answer *answer, struct err *err);

// Tells the waiters of all flights whose answers have become durable, as long
// as the turn has time.
void landing_settle(struct engine *engine, int64_t now);

#endif
