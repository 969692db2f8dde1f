// choice: which candidate the search ends with.
//
// The best by a cautious estimate of those that a test can tell from the
// baseline, and of those that are as good as it the one with the shortest
// prompt; it wins only if the test finds it better than the program as written.
// Where it leads and the test cannot tell, all that was tried may be better
// even in the mean, or further rows may tell (further.h). For the job's own
// thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_CHOICE_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_CHOICE_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// Deviations of the outlook by which a finalist is judged.
#define CHOICE_CAUTION (-0.5)

// Tells the session who won, or that nobody did, and why the search ended.
bool choice_make(struct search *search, struct err *err);

#endif
