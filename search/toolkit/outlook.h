// outlook: the score that a combination of the space can be expected to get,
// given everything on the board.
//
// The terms of a combination (effects.h) are:
//
//   - what all combinations share;
//   - for each predictor, its text and its demo set, and to a lesser degree the
//     ones that they descend from, since a rewritten instruction starts from
//     what its parent is worth;
//   - how many demos it shows, and how many of the teacher's sentences it
//     holds. A doubling is one term, so sets say something about each other's
//     size;
//   - each of these sentences, on the rows that it is about (concern.h), so
//     texts say something about each other's parts;
//   - each tunable;
//   - for a combination that was tried, the combination itself, since parts
//     that are good alone may not go together.
//
// Few scores (`few`) say little more about demos than that some are better than
// none. If that gain were taken as the worth of a doubling, it would be
// extrapolated to ever larger sets. So with few scores it is a term of its own:
//
//   tried                none 45 %, 16 demos 75 %
//   32 demos, untried    by doublings 80 %, by showing some 75 %
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_OUTLOOK_H
#define SEARCH_TOOLKIT_OUTLOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/toolkit/board.h"
#include "search/toolkit/effects.h"
#include "search/toolkit/sayings.h"
#include "search/toolkit/space.h"

struct outlook {
    const struct space *space; // borrowed, like the board
    struct board *board;
    double deviation;          // of a single score, from rows and noise
    bool few;                  // set by the owner: see above
    struct effects *effects;   // owned, like all below; NULL: not learned yet
    struct corpus corpus;      // of the board's rows
    size_t *columns;           // first effect, by place of a combination
    size_t shown;              // effect of any demos, for the first part
    size_t pairs;              // first effect of the combinations as a whole
    struct sayings *sayings;   // by part
    size_t *voices;            // by part: effect of its first sentence
    struct effect_term *terms; // room for the terms of one score
};

// Creates an outlook. `deviation` is that of a single score. Nothing is
// allocated before outlook_learn.
struct outlook outlook_of(const struct space *space, struct board *board,
                          double deviation);
void outlook_release(struct outlook *outlook); // accepts a zeroed outlook

// Learns again from the whole board. `soft` is the share of a score that is the
// probability of the right label, where the server tells it; with 0, only right
// answers count.
bool outlook_learn(struct outlook *outlook, double soft, struct err *err);

// Returns the score that a combination can be expected to get, tried or not.
struct effect_guess outlook_guess(const struct outlook *outlook,
                                  const int *choices);

// Returns what a sentence of the teacher's (space.h) adds on the rows that it
// is about.
struct effect_guess outlook_saying(const struct outlook *outlook, size_t part,
                                   size_t saying);

#endif
