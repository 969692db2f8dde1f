// pool: the programs of the search so far, with their scores.
//
// Each step draws from the best of them, better ones more often; a temperature
// says by how much.

#ifndef SEARCH_OPTIMIZERS_SIMBA_POOL_H
#define SEARCH_OPTIMIZERS_SIMBA_POOL_H

#include "search/optimizers/simba/search.h"

// Adds a program with its score, even if an equal one is in the pool. Takes a
// reference of its own.
bool simba_pool_add(struct simba_search *search, struct candidate *candidate,
                    double score, struct err *err);

// Chooses the best num_candidates; of equals, the earlier one comes first. If
// the program as written is not among them, it takes the last place.
bool simba_pool_choose(struct simba_search *search, struct err *err);

// Draws one of these by the softmax of score / temperature. Returns its index
// in the pool.
size_t simba_pool_draw(struct simba_search *search, double temperature);

#endif
