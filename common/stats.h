// stats: how certain a score is, and whether two scores differ.
//
// Each example has one score from 0 to 1, in the order of the examples. Scores
// that are all 0 or 1 are counts of right answers and have exact or closed
// formulas. Others are resampled from a seeded stream, so that equal scores
// give equal results everywhere. Pure functions, for any thread.

#ifndef COMMON_STATS_H
#define COMMON_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STATS_RESAMPLES = 2000, // for an interval
    STATS_FLIPS = 20000,    // for a test that is too large to be exact
    STATS_EXACT_FLIPS = 16, // try all signs up to this many differences
};

struct interval {
    double low, high;
};

// Returns the sum in order divided by n, or 0 if n is 0.
double stats_mean(const double *scores, size_t n);

// Returns true if every score is 0 or 1.
bool stats_binary(const double *scores, size_t n);

// Returns Wilson's 95 % interval for the share of `right` among n; 0 to 1 if n
// is 0.
struct interval stats_wilson(size_t right, size_t n);

// Like stats_wilson, from the share alone. Also usable for a mean of scores
// from 0 to 1 whose parts are not known: the interval is then too wide rather
// than too narrow, since scores with a given mean vary most when each is 0 or
// 1.
struct interval stats_wilson_share(double share, size_t n);

// Returns the 95 % percentile interval of the mean over STATS_RESAMPLES
// resamples; 0 to 1 if n is 0. Costs n x STATS_RESAMPLES draws: 3 ms for 100
// scores.
struct interval stats_bootstrap(const double *scores, size_t n, uint64_t seed);

// Returns the interval of a mean score: Wilson's if the scores are right or
// wrong, otherwise the bootstrap's. Scores that are all the same, including a
// single one, say nothing about how others would vary, so Wilson's is used for
// them too.
struct interval stats_interval(const double *scores, size_t n, uint64_t seed);

// Exact McNemar test: of the only_a + only_b examples that exactly one side got
// right, returns the two-sided binomial probability that they split at least
// this unevenly.
double stats_mcnemar(size_t only_a, size_t only_b);

// Returns the two-sided probability, if a and b were equally good, of a
// difference of means at least as large as theirs over the same n examples. It
// uses McNemar's test if all scores are right or wrong. Otherwise it flips the
// signs of the differences: all combinations for up to STATS_EXACT_FLIPS
// nonzero differences, otherwise STATS_FLIPS random ones. Returns 1 if nothing
// differs.
double stats_paired(const double *a, const double *b, size_t n, uint64_t seed);

#endif
