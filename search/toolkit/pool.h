// pool: candidates that are kept because each is the best of all on some rows.
//
// A mean hides what a candidate knows: one that gets the refunds right and
// little else has a lesson that the leader lacks. So the pool is judged row by
// row. A member leads a row if no other scored higher on it; the members that
// lead some row are the front. A member of the front is dropped if every row
// that it leads is also led by another that stays, since it adds nothing. A
// parent is drawn from the rest, in proportion to the number of rows that it
// leads.
//
// This is the selection of GEPA (Agrawal et al. 2025, arXiv 2507.19457), as
// implemented in its package 0.1.4: dropping begins with the lowest mean, and
// starts over after each drop.
//
// All members have been evaluated on the same rows, in the same order. A member
// that was not scored on a row cannot lead it. Pure.

#ifndef SEARCH_TOOLKIT_POOL_H
#define SEARCH_TOOLKIT_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/rng.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"

enum { POOL_PARENTS = 2 };

struct pool_member {
    const struct trial *trial;    // its full evaluation, done; borrowed
    size_t parents[POOL_PARENTS]; // indices in the pool
    size_t n_parents;             // 0: the program as written
    size_t turn;                  // the next part to change
};

struct pool {
    struct pool_member *members; // owned
    size_t n;
};

void pool_release(struct pool *pool); // accepts a zeroed pool

// Adds a copy of the member, whose trial must outlive the pool.
bool pool_add(struct pool *pool, const struct pool_member *member,
              struct err *err);

// Returns true if a member is this candidate.
bool pool_has(const struct pool *pool, const struct candidate *candidate);

// Returns the member with the best mean; of equals, the earlier one. The pool
// must not be empty.
size_t pool_best(const struct pool *pool);

// Writes to wins, one per member, the number of rows that it leads; 0 for
// members that lead none or were dropped. Returns false when out of memory.
bool pool_wins(const struct pool *pool, size_t *wins, struct err *err);

// Draws a member in proportion to its wins. Returns false when out of memory.
bool pool_pick(const struct pool *pool, struct rng *rng, size_t *out,
               struct err *err);

#endif
