// seed_choices: the program of an earlier run, as choices of the search.
//
// Its instructions and demos become the last choice of each step, so that TPE
// may combine them with all others. Its combination, with its score, is known
// to the search from the start.
//
// Not every job has one (session_seed_trial). Call only from the job's own
// thread.

#ifndef SEARCH_OPTIMIZERS_MIPROV2_SEED_CHOICES_H
#define SEARCH_OPTIMIZERS_MIPROV2_SEED_CHOICES_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/miprov2/demo_sets.h"
#include "search/session/session.h"
#include "search/toolkit/combos.h"
#include "search/toolkit/proposer.h"

// Adds the seed's texts to the proposals, and its demos to the sets. `sets` is
// NULL if demos are not searched. Call it before the combos are made. Returns
// false when out of memory.
bool seed_choices_add(const struct session *session,
                      const struct candidate *seed, struct proposals *proposals,
                      struct demo_sets *sets, struct err *err);

// Writes the seed's combination to choices, one per parameter of the space: the
// last of each list, and the tunables at the seed's values.
void seed_choices_get(const struct combos *combos, const struct candidate *seed,
                      int *choices);

#endif
