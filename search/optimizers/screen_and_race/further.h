// further: rows to train on, where the validation rows cannot tell.
//
// Where the two shares are apart, the validation share may be too small for any
// gain that is left: 30 of 30 rows right against 28 is a difference on two
// rows, which chance makes one time in four. So whoever leads there is scored
// on rows to train on as well, and so is the program as written, which has run
// on the first of them already (study.h); the test takes all rows together.
//
// A text was written from these rows and may fit them better than others. So
// they are never the only ones that speak for a candidate, and they are not
// asked where the validation rows can tell. A row that it shows is asked
// without that demo, as everywhere.
//
// For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_FURTHER_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_FURTHER_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// How the entry compares with the baseline on the validation rows and on as
// many further ones as there are and the budget has room for. pairs stays as it
// was where that is none.
bool further_compare(struct search *search, const struct entry *entry,
                     struct board_pairs *pairs, struct err *err);

#endif
