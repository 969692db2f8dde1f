// sets: the demo sets that the search has to choose from.
//
// They begin with sets of several sizes that cover every label. Each round adds
// large sets of rows that go wrong and of rows that chance picks, and the
// leader's own in the reverse order. For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_SETS_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_SETS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// The first sets of a predictor, with the pools that the job allows. One that
// is not in the focus gets a few.
bool sets_begin(struct search *search, size_t part, struct err *err);

// The sets of a round, for the predictor in the focus.
bool sets_renew(struct search *search, size_t round, struct err *err);

#endif
