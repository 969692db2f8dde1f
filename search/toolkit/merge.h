// merge: one candidate out of two that learned different things.
//
// Two members of a pool that go back to a common ancestor, and that neither
// descends from the other, are put together part by part: where only one of
// them changed what the ancestor says, the change is taken; where both did, the
// better one's. A pair is worth it only when the ancestor is no better than
// either, and when at least one part was changed by one of them alone: else
// there is nothing to put together.
//
// GEPA's merge (arXiv 2507.19457, appendix), as its package 0.1.4 does it. What
// was merged once is not merged again. For the job's own thread.

#ifndef SEARCH_TOOLKIT_MERGE_H
#define SEARCH_TOOLKIT_MERGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/rng.h"
#include "program/graph/candidate.h"
#include "search/toolkit/pool.h"

enum {
    MERGE_ATTEMPTS = 10, // pairs drawn; and so often again
    MERGE_LEAST_ROWS = 5 // that both were scored on
};

struct merge {
    size_t a, b; // a < b
    size_t ancestor;
    struct candidate *candidate; // sealed; the caller's reference
};

// Those that were made, so that none is made twice. Zeroed to begin with.
struct merges {
    struct hash *made; // owned: ids of candidates
    size_t n;
};

void merges_release(struct merges *merges);

// Draws a pair from the front and puts it together. True with
// out->candidate NULL when there is none.
bool merge_find(const struct pool *pool, struct merges *merges, struct rng *rng,
                struct merge *out, struct err *err);

// --- the parts, for tests

// The common ancestors of a and b that make the pair worth merging, into out
// (room for pool->n); *n is 0 too where one descends from the other.
bool merge_ancestors(const struct pool *pool, size_t a, size_t b, size_t *out,
                     size_t *n, struct err *err);

// Rows (by their places in the trials) to compare the merged one on with both:
// at most n, drawn alike from those where a is better, where b is, and where
// they tie; ascending. out has room for n.
bool merge_rows(const struct trial *a, const struct trial *b, size_t n,
                struct rng *rng, size_t *out, size_t *found, struct err *err);

#endif
