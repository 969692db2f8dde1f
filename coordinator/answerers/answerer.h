// answerer: what answers an ask: a model, a program, a search. One row each.
//
// Every ask takes the same path, whoever answers it:
//
//   step or metric      makes an ask (program/graph/ask.h)
//   evaluation_ask.c    address    the order gets its key
//                       is the key in flight? then the flight is joined
//                       is it in the store? then that is the answer
//                       begin      a new flight starts
//   (the answer)        record     what the store keeps with the answer
//   landing.c           commits, gives the waiters the answer, bills
//   (no answer)         the flight is parked: the items that wait are holes
//   (nobody waits)      cancel
//
// So every answer is stored, joined, replayed, billed and parked in the same
// way, and an answerer has only what is particular to it. A new one is a file
// in this folder that ends in its row, answerer_<name>, and a line in
// program/graph/answerers.def.

#ifndef COORDINATOR_ANSWERERS_ANSWERER_H
#define COORDINATOR_ANSWERERS_ANSWERER_H

#include <stdbool.h>

#include "coordinator/engine.h"
#include "search/session/task.h"
#include "store/calls.h"

struct answerer {
    const char *name;
    // Answers at once, with a text that follows from the question alone. Then
    // nothing is sent, stored or billed, and the rest of the row is empty. NULL
    // if an answer has to be awaited.
    bool (*answer)(const struct order *order, struct buf *text,
                   struct err *err);
    // Completes an order, above all its key. The caller has set ask, work,
    // bill, purpose, step and (for a model) prefix.
    bool (*address)(struct order *order, const struct task *task,
                    struct err *err);
    // Starts a new flight.
    bool (*begin)(struct flight *flight, struct err *err);
    // Called when nobody waits for the flight any more; a late answer is
    // ignored. NULL if there is nothing to do.
    void (*cancel)(struct engine *engine, struct flight *flight);
    // Called when the flight's job has ended and order.work is now that of the
    // next waiter. NULL if that makes no difference to the answerer.
    bool (*inherit)(struct flight *flight, struct err *err);
    // Fills in what the store keeps with the answer: prefix, model, digest,
    // options.
    bool (*record)(const struct flight *flight, struct call_put *row,
                   struct err *err);
};

#define ANSWERER(id, name) extern const struct answerer answerer_##name;
#include "program/graph/answerers.def"
#undef ANSWERER

// Returns the row of whoever answers the ask.
const struct answerer *answerer_of(const struct ask *ask);

#endif
