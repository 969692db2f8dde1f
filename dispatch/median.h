// median: the median of the last 31 samples.
//
// A mean was rejected: one call that ran into its time limit would move it for
// a long time. Adding costs a search and two short moves in 31 numbers.

#ifndef DISPATCH_MEDIAN_H
#define DISPATCH_MEDIAN_H

#include <stdint.h>

enum { MEDIAN_SAMPLES = 31, MEDIAN_MIN_SAMPLES = 5 };

// Zero is a fresh one.
struct median {
    int64_t recent[MEDIAN_SAMPLES]; // a circle in order of time
    int64_t sorted[MEDIAN_SAMPLES]; // the same values
    int count;
    int at; // the oldest in recent, once that is full
};

void median_add(struct median *median, int64_t value);

// -1 until MEDIAN_MIN_SAMPLES were added.
int64_t median_get(const struct median *median);

#endif
