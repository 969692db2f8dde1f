// proof: what the last calls of a budget are for, where it ends the search.
//
// What is known of the best by then is most likely a score on a few rows, and
// lucky. So some of the budget is kept back, and goes to rows that the baseline
// was scored on, until a test can tell whether it is better.
//
//   kept back  |--- hope, up to 12 runs ---|--- proof, 16 runs or more ---|
//
// Where the budget does not last for a whole race, hardly one of the few
// combinations that were screened is the best that its parts could make. So a
// few rows at a time go at first to what the outlook hopes most of, tried or
// not, and it learns from each. The rest is the proof's, and all of it where a
// race has told who leads.
//
// For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_PROOF_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_PROOF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"
#include "search/session/comparison.h"
#include "search/toolkit/race.h"

enum { PROOF_ROWS = 7 * COMPARISON_LEAST / 4 }; // kept back of the budget

// Scores what most is hoped of on a few rows, then whoever looks best on more
// of them, until a test can tell or the budget is gone.
bool proof_make(struct search *search, struct err *err);

// Whether a test can tell the entry from the baseline: they share enough rows,
// or all that there are.
bool proof_tells(const struct search *search, const struct entry *entry);

// Of those that are not the baseline the one that looks best; NULL: none.
struct entry *proof_hopeful(const struct search *search,
                            const struct racer *racers, size_t n);

#endif
