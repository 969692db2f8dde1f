// acceptance: whether a child of the search is better than its parents.
//
// A rewritten child and its only parent have answered the same training rows.
// The child must have the better mean over those that both were scored on, as
// in GEPA's paper. Three rows say little, so we also ask how likely such a
// difference is by chance (stats_paired): above one in ten, it is not clear
// yet, and further rows may be worth their calls.
//
// A merged child has two parents, each evaluated on all validation rows, and is
// tried on a few of these. It promises the sum of what they know, so it only
// has to be no worse there than the better of them.
//
// Pure.

#ifndef SEARCH_OPTIMIZERS_GEPA_ACCEPTANCE_H
#define SEARCH_OPTIMIZERS_GEPA_ACCEPTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "search/session/runs.h"
#include "search/session/trial.h"

// Parent and child on the same rows in the same order; both done. Borrowed.
struct acceptance_rows {
    const struct runs *parent;
    const struct trial *child;
};

struct acceptance {
    bool better; // has the better mean, by however little
    bool clear;  // and is unlikely to be so by chance
};

// Weighs the child on n lists of rows taken together; no row is in two lists.
// If no row was scored for both, it is not better. `seed` is the job's, for the
// test. Returns false when out of memory.
bool acceptance_weigh(const struct acceptance_rows *lists, size_t n,
                      uint64_t seed, struct acceptance *out, struct err *err);

// Returns true if a merged child, in its trial on some of the rows that a and b
// were evaluated on, is no worse there than the better of them.
bool acceptance_of_merged(const struct trial *child, const struct trial *a,
                          const struct trial *b);

#endif
