// minibatches: deals the training rows to iterations, a few to each.
//
// The rows are shuffled once per epoch and dealt from the front, so each row is
// used once before any is used again. If their number is not a multiple of a
// minibatch, the last rows of an epoch are left over and used in a later one.
//
// An iteration also has further rows, which follow its own in the epoch's
// order, wrapping around at the end. On these, a gain on the minibatch is
// tested that may be due to chance. The rows of iteration n depend only on the
// job's seed and n, not on what was taken before.
//
// Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_GEPA_MINIBATCHES_H
#define SEARCH_OPTIMIZERS_GEPA_MINIBATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "search/session/session.h"

struct minibatches {
    struct session *session; // borrowed
    size_t *order;           // owned: all training rows, in the epoch's order
    size_t n_train;          // number of training rows, at least 1
    size_t epoch;            // the epoch of `order`, from 0; SIZE_MAX: none yet
    size_t n;                // rows of a minibatch; 1 to n_train
    size_t n_more;           // further rows; at most the rest of n_train
};

// The rows of one iteration. Zeroed means none.
struct minibatch {
    size_t *rows; // owned: of the dataset; first the n, then the n_more
    size_t n;
    size_t n_more;
};

// Prepares minibatches of the session's training rows, at least one of which
// must exist. n (at least 1) and n_more are the numbers of rows wanted; a
// minibatch gets fewer if there are not that many. Returns false when out of
// memory.
bool minibatches_init(struct minibatches *minibatches, struct session *session,
                      size_t n, size_t n_more, struct err *err);
void minibatches_release(struct minibatches *minibatches); // zeroed is fine

// Takes the rows of an iteration, counted from 0. Returns false when out of
// memory.
bool minibatches_take(struct minibatches *minibatches, int64_t iteration,
                      struct minibatch *out, struct err *err);
void minibatch_release(struct minibatch *minibatch); // zeroed is fine

#endif
