// demos: the demos of a new program: some of its parent's, and one more.

#ifndef SEARCH_OPTIMIZERS_SIMBA_DEMOS_H
#define SEARCH_OPTIMIZERS_SIMBA_DEMOS_H

#include "search/optimizers/simba/search.h"

// Drops the demos at randomly drawn places, the same in every step, so that
// their number stays near max_demos.
bool simba_demos_drop(struct simba_search *search, struct candidate *child,
                      struct err *err);

// Adds the best run of the row as a demo of each step, if it is good enough.
bool simba_demos_add(struct simba_search *search,
                     const struct simba_bucket *bucket, struct candidate *child,
                     struct err *err);

#endif
