// comparison: two trials side by side, on the rows that both were scored on.
//
// Promising candidates are scored on more rows than others, and rows get
// excluded along the way, so two trials on the same share seldom have the same
// rows. Comparing 28 % of 50 rows with 67 % of 34 others says little. Whenever
// two scores are shown together, they come from here. All trials passed in must
// be done. Pure.

#ifndef SEARCH_SESSION_COMPARISON_H
#define SEARCH_SESSION_COMPARISON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/stats.h"
#include "search/session/session.h"

// A mean score and its interval (95 %).
struct side {
    double score;
    struct interval interval;
};

// How many rows two trials must share for a test to tell them apart: on fewer,
// a gain is an anecdote.
enum { COMPARISON_LEAST = 16 };

struct comparison {
    size_t n; // rows that both were scored on
    struct side a, b;
    double p_value; // of the difference (stats_paired)
};

// Compares two trials. `seed` seeds the resampling. Fails only when out of
// memory. A trial compared with itself gives its own score.
bool comparison_make(const struct trial *a, const struct trial *b,
                     uint64_t seed, struct comparison *out, struct err *err);

// Writes the scores on the shared rows, in a's order: x of a, y of b. Both need
// room for all of a's rows. Returns the number of rows.
size_t comparison_pairs(const struct trial *a, const struct trial *b, double *x,
                        double *y);

// Computes only the mean scores, 0 and 0 if no row is shared. Returns the
// number of rows.
size_t comparison_means(const struct trial *a, const struct trial *b,
                        double *of_a, double *of_b);

// Returns the mean of b's score minus a's; 0 if no row is shared.
double comparison_gain(const struct trial *a, const struct trial *b);

// Returns true if both trials score every shared row alike.
bool comparison_ties(const struct trial *a, const struct trial *b);

#endif
