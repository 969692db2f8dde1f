// choice: which candidate the search ends with.
//
// It considers the candidates that a test can tell from the baseline, takes the
// best by a cautious estimate and, of those as good as the best, the one with
// the shortest prompt. That candidate wins only if the test finds it better
// than the program as written. If it leads but the test cannot tell, two more
// questions are asked: whether the mean of everything that was tried is better,
// and what further rows say (further.h). Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_CHOICE_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_CHOICE_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// Deviations of the outlook that are added to a finalist's mean.
#define CHOICE_CAUTION (-0.5)

// Tells the session who won, or that nobody did, and why the search ended.
bool choice_make(struct search *search, struct err *err);

#endif
