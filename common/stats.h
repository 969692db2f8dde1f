// stats: how sure a score is, and whether two of them differ.
//
// Scores are one number from 0 to 1 an example, in the order of the examples.
// Scores that are all 0 or 1 are counts of right answers and have exact or
// closed formulas; others are resampled, from a seeded stream, so that equal
// scores give equal results everywhere. Pure functions: any thread.

#ifndef COMMON_STATS_H
#define COMMON_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STATS_RESAMPLES = 2000, // of an interval
    STATS_FLIPS = 20000,    // of a test that is too large to be exact
    STATS_EXACT_FLIPS = 16, // differences up to which all signs are tried
};

struct interval {
    double low, high;
};

// The sum in order, divided by n; 0 when n is 0.
double stats_mean(const double *scores, size_t n);

// True when every score is 0 or 1.
bool stats_binary(const double *scores, size_t n);

// Wilson's 95 % interval for the share of `right` among n; 0 to 1 when n is 0.
struct interval stats_wilson(size_t right, size_t n);

// The same from the share alone. For a mean of scores from 0 to 1 whose parts
// are not at hand it is too wide rather than too narrow: scores of a given mean
// spread most when each is 0 or 1.
struct interval stats_wilson_share(double share, size_t n);

// Percentile interval (95 %) of the mean over STATS_RESAMPLES resamples; 0 to
// 1 when n is 0. Costs n x STATS_RESAMPLES draws: 3 ms for 100 scores.
struct interval stats_bootstrap(const double *scores, size_t n, uint64_t seed);

// The interval of a mean score: Wilson's where the scores are right or wrong,
// else the bootstrap's. Scores that are all the same, as a single one is, say
// nothing of how others would differ, so they are given Wilson's too.
struct interval stats_interval(const double *scores, size_t n, uint64_t seed);

// Exact McNemar: the two-sided binomial probability that of only_a + only_b
// examples that one side alone got right, they fall at least this unevenly.
double stats_mcnemar(size_t only_a, size_t only_b);

// Two-sided probability, if a and b were equally good, of a difference of
// means at least as large as theirs, over the same n examples: McNemar's where
// all scores are right or wrong, else by flipping the signs of the
// differences (all ways up to STATS_EXACT_FLIPS differences that are not 0,
// else STATS_FLIPS drawn ones). 1 when nothing differs.
double stats_paired(const double *a, const double *b, size_t n, uint64_t seed);

#endif
