// cover: which rows a demo set shows.
//
// Rows are taken one by one, each time the one that adds most: values that
// were not shown often enough yet, a liking of the caller's (rows that the
// student gets wrong, say), and being unlike the rows taken so far. So every
// beginning of the list is a cover as well, and a prompt that has no room for
// all of it loses the least of it. Where the step has no classes, variety alone
// decides. Chance breaks ties, and with a large share of it sets of one recipe
// differ.
//
// Pure but for the stream of random numbers.

#ifndef SEARCH_TOOLKIT_COVER_H
#define SEARCH_TOOLKIT_COVER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/rng.h"
#include "search/toolkit/classes.h"
#include "search/toolkit/lexicon.h"

struct cover_recipe {
    const bool *usable;   // one a row: it can be a demo
    const double *liking; // one a row, some 0 to 1; NULL: all are alike
    double variety;       // what being wholly unlike the others is worth
    double chance;        // what luck is worth
    size_t most;          // rows
};

// Places of rows into out (room for recipe->most), in the order in which they
// were taken. *n is how many.
bool cover_pick(const struct classes *classes, const struct lexicon *lexicon,
                const struct cover_recipe *recipe, struct rng *rng, size_t *out,
                size_t *n, struct err *err);

#endif
