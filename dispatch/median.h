// median: the median of the last 31 samples.
//
// A mean was rejected because one call that ran into its time limit would
// distort it for a long time. Adding a sample costs a search and two short
// moves in 31 numbers.

#ifndef DISPATCH_MEDIAN_H
#define DISPATCH_MEDIAN_H

#include <stdint.h>

enum { MEDIAN_SAMPLES = 31, MEDIAN_MIN_SAMPLES = 5 };

// Zero-initialized, it is empty.
struct median {
    int64_t recent[MEDIAN_SAMPLES]; // a ring buffer, in order of time
    int64_t sorted[MEDIAN_SAMPLES]; // the same values
    int count;
    int at; // index of the oldest in recent, once that is full
};

void median_add(struct median *median, int64_t value);

// Returns -1 until MEDIAN_MIN_SAMPLES samples were added.
int64_t median_get(const struct median *median);

#endif
