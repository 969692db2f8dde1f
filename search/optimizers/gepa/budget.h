// budget: how many scored runs a search may spend.

#ifndef SEARCH_OPTIMIZERS_GEPA_BUDGET_H
#define SEARCH_OPTIMIZERS_GEPA_BUDGET_H

#include <stdint.h>

#include "search/optimizers/gepa/search.h"

// Returns the number of scored runs, including those of the program as written:
// as given, or else by DSPy's formula for `auto`. Pure.
int64_t gepa_budget(const struct session *session,
                    const struct gepa_params *values);

#endif
