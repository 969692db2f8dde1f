// confirm: the best few on all rows, and with fresh answers where the model
// does not answer alike.
//
// The winner of many candidates is partly lucky; with a fickle model it was
// chosen for its luck. For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_CONFIRM_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_CONFIRM_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// Completes the baseline, which a part was enough of to search with, and the
// best few, and sets the search's noise.
bool confirm_best(struct search *search, struct err *err);

#endif
