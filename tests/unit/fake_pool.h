// fake_pool: a pool of candidates with hand-written scores, for the tests of
// selection and merging.

#ifndef FAKE_POOL_H
#define FAKE_POOL_H

#include <stddef.h>

#include "fake_session.h"
#include "search/toolkit/pool.h"

enum { FAKE_POOL_MOST = 8, FAKE_POOL_ROWS = 16 };

struct fake_pool {
    struct session *session; // of a job with two steps, `first` and `second`
    struct pool pool;
    struct trial trials[FAKE_POOL_MOST];
    size_t rows[FAKE_POOL_ROWS];
    bool scored[FAKE_POOL_MOST][FAKE_POOL_ROWS];
    double scores[FAKE_POOL_MOST][FAKE_POOL_ROWS];
};

void fake_pool_init(struct fake_pool *fake);
void fake_pool_release(struct fake_pool *fake);

// Adds a member with these instructions; NULL takes over the first parent's.
// `scores` has one digit per row, in tenths ("0a5": a is 10 tenths, "-" means
// not scored). `parents` are indexes into the pool, -1 for none.
void fake_pool_add(struct fake_pool *fake, const char *scores,
                   const char *first, const char *second, int parent,
                   int other);

#endif
