// seed_choices: the program of an earlier run, as choices of the search.
//
// Its instructions and its demos become the last choice of each step, so that
// TPE may combine them with all others; and its combination is known to the
// search, which knows its score from the start.
//
// Not every job has one (session_seed_trial). For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_MIPROV2_SEED_CHOICES_H
#define SEARCH_OPTIMIZERS_MIPROV2_SEED_CHOICES_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/miprov2/demo_sets.h"
#include "search/session/session.h"
#include "search/toolkit/combos.h"
#include "search/toolkit/proposer.h"

// Adds its texts to the proposals, and its demos to the sets. sets is NULL
// where demos are not searched. Before the combos are made. False without
// memory.
bool seed_choices_add(const struct session *session,
                      const struct candidate *seed, struct proposals *proposals,
                      struct demo_sets *sets, struct err *err);

// Its combination, into choices (one a parameter of the space): the last of
// each list, and the tunables as it has them.
void seed_choices_get(const struct combos *combos, const struct candidate *seed,
                      int *choices);

#endif
