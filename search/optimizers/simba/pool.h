// pool: the programs of the search so far, with their scores.
//
// Each step draws from the best of them: the better one is, the more often, and
// how much so is said by a temperature.

#ifndef SEARCH_OPTIMIZERS_SIMBA_POOL_H
#define SEARCH_OPTIMIZERS_SIMBA_POOL_H

#include "search/optimizers/simba/search.h"

bool simba_pool_add(struct simba_search *search, struct candidate *candidate,
                    double score, struct err *err);

// Chooses the best num_candidates, the earlier of equals first; the program as
// written takes the last place where it is not among them.
bool simba_pool_choose(struct simba_search *search, struct err *err);

// One of these, by the softmax of score / temperature: its place in the pool.
size_t simba_pool_draw(struct simba_search *search, double temperature);

#endif
