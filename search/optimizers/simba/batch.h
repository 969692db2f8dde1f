// batch: the training rows of a step, their runs, and what these show.
//
// Each row is run num_candidates times at temperature 1, each time by a program
// that is drawn from the pool. Then the rows are put in order: first the one
// whose best and worst run lie furthest apart, since there is most to learn.

#ifndef SEARCH_OPTIMIZERS_SIMBA_BATCH_H
#define SEARCH_OPTIMIZERS_SIMBA_BATCH_H

#include "search/optimizers/simba/search.h"

// The next rows; each is used once before any is used again.
bool simba_batch_take(struct simba_search *search, struct err *err);

// Runs them, as step number `step`, and waits.
bool simba_batch_run(struct simba_search *search, int64_t step,
                     struct err *err);

// Makes the buckets, in order, and the percentiles of all scores.
bool simba_batch_sort(struct simba_search *search, struct err *err);

// Frees the runs and the buckets, whatever of them there is.
void simba_batch_release(struct simba_search *search);

#endif
