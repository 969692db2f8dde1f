// texts: the instructions that the search chooses from.
//
// The first ones are made from the examples' words without a teacher. Each
// round adds what the teacher writes, and other selections of what it said so
// far. Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_TEXTS_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/findings.h"
#include "search/optimizers/screen_and_race/search.h"

// Adds our own texts of a predictor.
bool texts_begin(struct search *search, size_t part,
                 const struct findings *found, struct err *err);

// Adds the texts of a round, for the predictor in the focus.
bool texts_renew(struct search *search, const struct findings *found,
                 size_t round, struct err *err);

#endif
