// texts: the instructions that the search has to choose from.
//
// They begin with what can be said from the examples' words without a teacher.
// Each round adds what the teacher writes, and what was said so far in other
// selections. For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_TEXTS_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/findings.h"
#include "search/optimizers/screen_and_race/search.h"

// Our own texts of a predictor.
bool texts_begin(struct search *search, size_t part,
                 const struct findings *found, struct err *err);

// The texts of a round, for the predictor in the focus.
bool texts_renew(struct search *search, const struct findings *found,
                 size_t round, struct err *err);

#endif
