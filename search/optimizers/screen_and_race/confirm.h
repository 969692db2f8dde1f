// confirm: scores the best few on all rows, and with fresh answers if the
// model's answers vary.
//
// The winner among many candidates is partly lucky; with a model whose answers
// vary, luck also helped to choose it. Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_CONFIRM_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_CONFIRM_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// Completes the baseline, of which a part was enough for the search, and the
// best few, and sets the search's noise.
bool confirm_best(struct search *search, struct err *err);

#endif
