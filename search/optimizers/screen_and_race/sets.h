// sets: the demo sets that the search chooses from.
//
// The first sets have several sizes and cover every label. Each round adds
// large sets of rows that go wrong and of random rows, and the leader's own set
// in reverse order. Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_SETS_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_SETS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// Makes the first sets of a predictor, including the pools that the job allows.
// A predictor that is not in the focus gets only a few.
bool sets_begin(struct search *search, size_t part, struct err *err);

// Makes the sets of a round, for the predictor in the focus.
bool sets_renew(struct search *search, size_t round, struct err *err);

#endif
