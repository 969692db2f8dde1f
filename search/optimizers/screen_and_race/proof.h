// proof: how the last calls are spent when the budget ends the search.
//
// At that point, what is known about the best candidate is probably a lucky
// score on a few rows. So some of the budget is reserved and spent on rows that
// the baseline was scored on, until a test can tell whether the candidate is
// better.
//
//   reserved   |- promising, up to 12 runs -|--- proof, 16 runs or more ---|
//
// If the budget does not last for a whole race, the few combinations that were
// screened probably miss the best that their parts could make. So at first,
// the most promising combination by the outlook, tried or not, gets a few rows
// at a time, and the outlook learns from each. The rest goes to the proof. If a
// race has already shown who leads, all of it does.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_PROOF_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_PROOF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"
#include "search/session/comparison.h"
#include "search/toolkit/race.h"

enum { PROOF_ROWS = 7 * COMPARISON_LEAST / 4 }; // runs reserved from the budget

// Scores the most promising combinations on a few rows, then the best-looking
// one on more of them, until a test can tell or the budget is used up.
bool proof_make(struct search *search, struct err *err);

// Returns true if a test can tell the entry from the baseline: they share
// enough rows, or all that exist.
bool proof_tells(const struct search *search, const struct entry *entry);

// Returns the best-looking racer that is not the baseline, or NULL.
struct entry *proof_best_other(const struct search *search,
                               const struct racer *racers, size_t n);

#endif
