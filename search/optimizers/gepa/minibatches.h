// minibatches: the training rows, a few to each iteration.
//
// The rows are shuffled once an epoch and dealt from the front, so that each is
// seen once before any is seen again. Where they are no multiple of a
// minibatch, the last rows of an epoch are left over, and come into a later
// one.
//
// An iteration has further rows as well, those that follow its own in the
// epoch's order (from the end on, those at the front): on them a gain on the
// minibatch is tested that could be chance. What iteration n gets depends on
// the job's seed and n alone, not on what was taken before.
//
// For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_GEPA_MINIBATCHES_H
#define SEARCH_OPTIMIZERS_GEPA_MINIBATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "search/session/session.h"

struct minibatches {
    struct session *session; // borrowed
    size_t *order;           // owned: all training rows, as the epoch has them
    size_t n_train;          // of them; 1 at least
    size_t epoch;            // that order is of, from 0; SIZE_MAX: none yet
    size_t n;                // rows of a minibatch; 1 to n_train
    size_t n_more;           // further rows; at most the rest of n_train
};

// The rows of one iteration. Zeroed is none.
struct minibatch {
    size_t *rows; // owned: of the dataset; first the n, then the n_more
    size_t n;
    size_t n_more;
};

// Of the session's training rows, of which there is one at least. n (1 or more)
// and n_more: rows wanted; fewer where there are not so many. False without
// memory.
bool minibatches_init(struct minibatches *minibatches, struct session *session,
                      size_t n, size_t n_more, struct err *err);
void minibatches_release(struct minibatches *minibatches); // zeroed is fine

// The rows of an iteration, counted from 0. False without memory.
bool minibatches_take(struct minibatches *minibatches, int64_t iteration,
                      struct minibatch *out, struct err *err);
void minibatch_release(struct minibatch *minibatch); // zeroed is fine

#endif
