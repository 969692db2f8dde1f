// merge: one candidate made from two that learned different things.
//
// Two members of a pool that share an ancestor, and of which neither descends
// from the other, are merged part by part. If only one of them changed the
// ancestor's part, its change is taken; if both did, the better member's. A
// pair is worth merging only if the ancestor is no better than either of them,
// and if at least one part was changed by one of them alone; otherwise there is
// nothing to combine.
//
// This is GEPA's merge (arXiv 2507.19457, appendix), as implemented in its
// package 0.1.4. What was merged once is not merged again. Call only from the
// job's own thread.

#ifndef SEARCH_TOOLKIT_MERGE_H
#define SEARCH_TOOLKIT_MERGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/rng.h"
#include "program/graph/candidate.h"
#include "search/toolkit/pool.h"

enum {
    MERGE_ATTEMPTS = 10, // at most its square of pairs is drawn
    MERGE_LEAST_ROWS = 5 // rows that both must be scored on
};

struct merge {
    size_t a, b; // a < b
    size_t ancestor;
    struct candidate *candidate; // sealed; the caller's reference
};

// The merges made so far, so that none is made twice. Zeroed to begin with.
struct merges {
    struct hash *made; // owned: ids of candidates
    size_t n;
};

void merges_release(struct merges *merges);

// Draws pairs from the front until one can be merged. Returns true with
// out->candidate NULL if none can.
bool merge_find(const struct pool *pool, struct merges *merges, struct rng *rng,
                struct merge *out, struct err *err);

// --- the parts, for tests

// Writes to out (room for pool->n) the common ancestors of a and b that make
// the pair worth merging. *n is 0 if one of them descends from the other.
bool merge_ancestors(const struct pool *pool, size_t a, size_t b, size_t *out,
                     size_t *n, struct err *err);

// Picks the rows (by their places in the trials) on which to compare the merged
// candidate with both: at most n, drawn evenly from those where a is better,
// where b is better, and where they tie; ascending. out has room for n.
bool merge_rows(const struct trial *a, const struct trial *b, size_t n,
                struct rng *rng, size_t *out, size_t *found, struct err *err);

#endif
