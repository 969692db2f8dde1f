// outlook: what a combination of the space can be expected to score, from all
// that is on the board.
//
// The terms of a combination (effects.h) are: what all share; of each predictor
// its text and its demo set, and in part those that they descend from, since a
// rewritten instruction starts from what its parent is worth; how many demos it
// shows and how many sentences of the teacher's it holds (a doubling is one
// term, so sets tell of each other's size); each of these sentences, on the
// rows that it is about (concern.h), so texts tell of each other's parts; each
// tunable; and, for a combination that was tried, itself, since parts that are
// good alone may not go together.
//
// Few scores (`few`) say little more of demos than that some are better than
// none. If that gain were taken as the worth of a doubling, it would be carried
// on to ever larger sets, so with few scores it is a term of its own:
//
//   tried    none 45 %, 16 demos 75 %
//   32 demos, untried    by doublings 80 %, by showing some 75 %
//
// For the job's own thread.

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
    const struct space *space; // borrowed, as the next
    struct board *board;
    const struct study *study; // borrowed
    double deviation;          // of a single score, over rows and noise
    bool few;                  // set by the owner: see above
    struct effects *effects;   // owned, as all below; NULL: nothing learned yet
    size_t *columns;           // by place of a combination: its first effect
    size_t shown;              // effect of demos at all, of the first part
    size_t pairs;              // first effect of the combinations as such
    struct sayings *sayings;   // by part
    size_t *voices;            // by part: effect of its first sentence
    struct effect_term *terms; // room for those of one score
};

// deviation: of a single score. Nothing is allocated before outlook_learn.
struct outlook outlook_of(const struct space *space, struct board *board,
                          const struct study *study, double deviation);
void outlook_release(struct outlook *outlook); // zeroed is fine

// Learns afresh. soft: the share of a score that is the probability of the
// right label, where the server tells it; 0: right answers alone.
bool outlook_learn(struct outlook *outlook, double soft, struct err *err);

// What a combination can be expected to score, whether it was tried or not.
struct effect_guess outlook_guess(const struct outlook *outlook,
                                  const int *choices);

// What a sentence of the teacher's (space.h) adds on the rows that it is about.
struct effect_guess outlook_saying(const struct outlook *outlook, size_t part,
                                   size_t saying);

#endif
