// further: training rows, for when the validation rows cannot tell.
//
// If the two shares are separate, the validation share may be too small for any
// remaining gain: 30 of 30 rows right against 28 is a difference on two rows,
// which chance produces one time in four. So the candidate that leads there is
// scored on training rows too, and so is the program as written, which has
// already run on the first of them (study.h). The test takes all rows together.
//
// A text was written from these rows and may fit them better than others. So
// they are never the only rows that speak for a candidate, and they are not
// used if the validation rows can tell. As everywhere, a row that the candidate
// shows as a demo is asked without that demo.
//
// Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_FURTHER_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_FURTHER_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// Compares the entry with the baseline on the validation rows and on as many
// further rows as exist and fit the budget. Leaves *pairs unchanged if that is
// none.
bool further_compare(struct search *search, const struct entry *entry,
                     struct board_pairs *pairs, struct err *err);

#endif
