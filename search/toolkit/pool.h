// pool: candidates that are kept because each is the best of all somewhere.
//
// A mean hides what a candidate knows: one that gets the refunds right and
// little else has a lesson that the leader lacks. So the pool is judged row by
// row. A member leads a row when no other scored higher on it; the members that
// lead some row are the front. A member of the front is left out when every row
// that it leads is also led by another that stays: it adds nothing. A parent is
// drawn from the rest, each in proportion to the rows that it leads.
//
// This is the selection of GEPA (Agrawal et al. 2025, arXiv 2507.19457), as its
// package 0.1.4 does it: dropping begins with the lowest mean, and starts over
// after each drop.
//
// All members have been evaluated on the same rows, in the same order; a row
// that a member was not scored on is led without it. Pure.

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
    size_t parents[POOL_PARENTS]; // in the pool
    size_t n_parents;             // 0: the program as written
    size_t turn;                  // which of its parts is changed next
};

struct pool {
    struct pool_member *members; // owned
    size_t n;
};

void pool_release(struct pool *pool); // zeroed is fine

bool pool_add(struct pool *pool, const struct pool_member *member,
              struct err *err);

// Whether a member is this candidate.
bool pool_has(const struct pool *pool, const struct candidate *candidate);

// The best mean; the earlier of equals. The pool has members.
size_t pool_best(const struct pool *pool);

// Fills wins, one a member: the rows that it leads; 0 for those that lead none
// or were left out. False without memory.
bool pool_wins(const struct pool *pool, size_t *wins, struct err *err);

// Draws one by its wins. False without memory.
bool pool_pick(const struct pool *pool, struct rng *rng, size_t *out,
               struct err *err);

#endif
