// cover: which rows a demo set shows.
//
// Rows are taken one by one. The next is always the one that adds most: values
// not shown often enough yet, the caller's preference (for rows that the
// student gets wrong, say), and being unlike the rows taken so far. So every
// beginning of the list is a good cover too, and a prompt that has no room for
// the whole list loses as little as possible. If the step has no classes,
// variety alone decides. Chance breaks ties; with more weight on chance, sets
// of one recipe differ.
//
// Pure except for the stream of random numbers.

#ifndef SEARCH_TOOLKIT_COVER_H
#define SEARCH_TOOLKIT_COVER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/rng.h"
#include "search/toolkit/classes.h"
#include "search/toolkit/lexicon.h"

struct cover_recipe {
    const bool *usable;   // per row: it can be a demo
    const double *liking; // per row, about 0 to 1; NULL: all alike
    double variety;       // weight of being wholly unlike the others
    double chance;        // weight of chance
    size_t most;          // rows
};

// Writes the places of the chosen rows to out (room for recipe->most), in the
// order in which they were taken. *n is their number.
bool cover_pick(const struct classes *classes, const struct lexicon *lexicon,
                const struct cover_recipe *recipe, struct rng *rng, size_t *out,
                size_t *n, struct err *err);

#endif
