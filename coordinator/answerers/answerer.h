// answerer: what answers asks: a model, a program, a search. One row each.
//
// Every ask takes the same way, whoever answers it:
//
//   step or metric      makes an ask (program/graph/ask.h)
//   evaluation_ask.c    address    the order gets its key
//                       is the key in the store? then that is the answer
//                       is it in flight? then it is joined
//                       begin      a new flight sets out
//   (the answer)        record     what the store keeps beside the answer
//   coordinator.c       commits, tells the waiters, bills
//   (no answer)         the flight is parked: the items that wait are holes
//   (nobody waits)      cancel
//
// So an answer is stored, joined, replayed, billed and parked in one way, and
// an answerer says only what is its own. A new one is a file in this folder
// that ends in its row, answerer_<name>, and a line in
// program/graph/answerers.def.

#ifndef COORDINATOR_ANSWERERS_ANSWERER_H
#define COORDINATOR_ANSWERERS_ANSWERER_H

#include <stdbool.h>

#include "coordinator/engine.h"
#include "search/session/task.h"
#include "store/calls.h"

struct answerer {
    const char *name;
    // Answers at once, with a text that follows from the question alone:
    // nothing is sent, stored or billed then, and the rest of the row is empty.
    // NULL where an answer has to be waited for.
    bool (*answer)(const struct order *order, struct buf *text,
                   struct err *err);
    // Completes an order, whose ask, work, bill, purpose, step and (for a
    // model) prefix are set: its key above all.
    bool (*address)(struct order *order, const struct task *task,
                    struct err *err);
    // Sends a new flight on its way.
    bool (*begin)(struct flight *flight, struct err *err);
    // Nobody waits for it any more; what still comes of it is ignored. NULL
    // where nothing is to be done.
    void (*cancel)(struct engine *engine, struct flight *flight);
    // Its job has ended and order.work is now the next waiter's; NULL where
    // that changes nothing for the answerer.
    bool (*inherit)(struct flight *flight, struct err *err);
    // Fills what the store keeps of it: prefix, model, digest, options.
    bool (*record)(const struct flight *flight, struct call_put *row,
                   struct err *err);
};

#define ANSWERER(id, name) extern const struct answerer answerer_##name;
#include "program/graph/answerers.def"
#undef ANSWERER

const struct answerer *answerer_of(const struct ask *ask);

#endif
