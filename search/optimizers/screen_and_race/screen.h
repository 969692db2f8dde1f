// screen: tries many combinations of instruction and demos on a few rows each.
//
// The effects of both nearly add up, so each score says something about both.
// From all scores, the outlook estimates what a combination can be expected to
// score that nobody has tried. Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_SCREEN_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// Deviations that are added to the outlook's mean to rate how promising it is.
#define SCREEN_HOPE 1.0

// Asks for the few rows on which a combination is screened. Which rows
// these are depends on `number`. Returns at once.
bool screen_entry(struct search *search, struct entry *entry, size_t number,
                  struct err *err);

// Screens every text and every set of the predictor in the focus, each as often
// as the others. If no other predictor is searched, the last few combinations
// are the ones that are most promising after the rest.
bool screen_first(struct search *search, struct err *err);

// Screens the most promising combinations that nobody has tried.
bool screen_next(struct search *search, size_t round, struct err *err);

// Finds the most promising combination that nobody has tried; it is on the
// board, but not asked for yet. *entry is NULL if none promises more than
// `least`.
bool screen_untried(struct search *search, double least, struct entry **entry,
                    struct err *err);

#endif
