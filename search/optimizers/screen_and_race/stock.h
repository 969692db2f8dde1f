// stock: fills the space, at first and again every round. It looks at what goes
// wrong (findings.h), and makes instructions (texts.h, letters.h) and demo sets
// (sets.h) from that.
//
// A search cannot find what is not in its space. Call only from the job's own
// thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_STOCK_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_STOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// Adds what every predictor begins with.
bool stock_fill(struct search *search, struct err *err);

// Adds the texts and sets of a round for the predictor that loses most; `round`
// counts from 1.
bool stock_renew(struct search *search, size_t round, struct err *err);

#endif
