// screen: many combinations of instruction and demos on a few rows each.
//
// The effects of both nearly add up, so each score says something about both,
// and the outlook tells from all of them what a combination can be expected to
// score that nobody has tried. For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_SCREEN_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// Deviations of the outlook by which hope is above its mean.
#define SCREEN_HOPE 1.0

// Asks for the few rows on which a combination is screened, from a place on
// that differs from number to number. Returns at once.
bool screen_entry(struct search *search, struct entry *entry, size_t number,
                  struct err *err);

// Every text and every set of the predictor in the focus, as often as the
// others. If no other predictor is searched, the last few combinations are what
// the outlook hopes most of after the rest.
bool screen_first(struct search *search, struct err *err);

// What the outlook hopes most of and nobody has tried.
bool screen_next(struct search *search, size_t round, struct err *err);

// What the outlook hopes most of and nobody has tried, on the board and not
// asked yet; NULL: it hopes of none more than `least`.
bool screen_untried(struct search *search, double least, struct entry **entry,
                    struct err *err);

#endif
