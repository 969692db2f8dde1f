#include "search/optimizers/gepa/minibatches.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool minibatches_init(struct minibatches *minibatches, struct session *session,
                      size_t n, size_t n_more, struct err *err)
{
    size_t n_train = session_split(session)->n[SHARE_TRAIN];

    assert(n > 0 && n_train > 0);
    *minibatches = (struct minibatches){.session = session,
                                        .n_train = n_train,
                                        .epoch = SIZE_MAX,
                                        .n = n < n_train ? n : n_train};
    size_t rest = n_train - minibatches->n;
    minibatches->n_more = n_more < rest ? n_more : rest;
    minibatches->order = calloc(n_train, sizeof *minibatches->order);
    if (minibatches->order == NULL)
        err_nomem(err, "minibatches");
    return minibatches->order != NULL;
}

void minibatches_release(struct minibatches *minibatches)
{
    free(minibatches->order);
    *minibatches = (struct minibatches){0};
}

static void shuffle(struct minibatches *minibatches, size_t epoch)
{
    struct rng rng = session_rng(minibatches->session, "minibatches", epoch);

    memcpy(minibatches->order,
           session_split(minibatches->session)->rows[SHARE_TRAIN],
           minibatches->n_train * sizeof *minibatches->order);
    rng_shuffle(&rng, minibatches->order, minibatches->n_train);
    minibatches->epoch = epoch;
}

bool minibatches_take(struct minibatches *minibatches, int64_t iteration,
                      struct minibatch *out, struct err *err)
{
    size_t n = minibatches->n;
    size_t all = n + minibatches->n_more;
    size_t an_epoch = minibatches->n_train / n;
    size_t epoch = (size_t)iteration / an_epoch;
    size_t first = (size_t)iteration % an_epoch * n;

    if (minibatches->epoch != epoch)
        shuffle(minibatches, epoch);
    *out = (struct minibatch){.rows = calloc(all, sizeof *out->rows),
                              .n = n,
                              .n_more = minibatches->n_more};
    if (out->rows == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    for (size_t i = 0; i < all; i++)
        out->rows[i] = minibatches->order[(first + i) % minibatches->n_train];
    return true;
}

void minibatch_release(struct minibatch *minibatch)
{
    free(minibatch->rows);
    *minibatch = (struct minibatch){0};
}
