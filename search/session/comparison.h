// comparison: two trials side by side, on the rows that both were scored on.
//
// Promising candidates are scored on more rows than others, and rows are
// excluded on the way, so two trials of one share seldom have the same rows,
// and to compare 28 % of 50 rows with 67 % of 34 others says little. Whenever
// two scores are shown together, they come from here. All trials given are
// done. Pure.

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

// Rows that two trials share, for a test to tell them apart: on fewer, a gain
// is an anecdote.
enum { COMPARISON_LEAST = 16 };

struct comparison {
    size_t n; // rows that both were scored on
    struct side a, b;
    double p_value; // of the difference (stats_paired)
};

// seed is for what is resampled. Fails only without memory. A trial
// compared with itself gives its own score.
bool comparison_make(const struct trial *a, const struct trial *b,
                     uint64_t seed, struct comparison *out, struct err *err);

// The scores on these rows, in a's order: x of a, y of b; room for a's rows
// each. Returns how many.
size_t comparison_pairs(const struct trial *a, const struct trial *b, double *x,
                        double *y);

// The mean scores alone; 0 and 0 where there is no such row. Returns how many.
size_t comparison_means(const struct trial *a, const struct trial *b,
                        double *of_a, double *of_b);

// Mean difference of b over a; 0 where there is no such row.
double comparison_gain(const struct trial *a, const struct trial *b);

// Whether both score every such row alike.
bool comparison_ties(const struct trial *a, const struct trial *b);

#endif
