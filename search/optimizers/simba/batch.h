// batch: the training rows of a step, their runs, and what these show.
//
// Each row is run num_candidates times at temperature 1, each time by a program
// drawn from the pool. Then the rows are sorted: the row whose best and worst
// run differ most comes first, since it teaches most.

#ifndef SEARCH_OPTIMIZERS_SIMBA_BATCH_H
#define SEARCH_OPTIMIZERS_SIMBA_BATCH_H

#include "search/optimizers/simba/search.h"

// Takes the next rows; each is used once before any is used again.
bool simba_batch_take(struct simba_search *search, struct err *err);

// Runs the rows as step number `step`, and waits.
bool simba_batch_run(struct simba_search *search, int64_t step,
                     struct err *err);

// Makes the buckets, sorted, and the percentiles of all scores.
bool simba_batch_sort(struct simba_search *search, struct err *err);

// Frees the runs and the buckets, as far as they exist.
void simba_batch_release(struct simba_search *search);

#endif
