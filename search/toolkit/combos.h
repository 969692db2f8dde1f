// combos: the combinations of an instruction and a demo set for each searched
// step, and of the job's tunables, as a search space and as candidates.
//
// For each predictor that the plan runs, in order, the parameters are the demo
// set (absent in a search without demos) and the instruction; the tunables
// follow. Choice 0 is the program as written: no demos, its own instruction,
// each tunable at its default.
//
// Combinations that yield the same candidate, because sets or instructions are
// equal, are one combo and share everything known about it.

#ifndef SEARCH_TOOLKIT_COMBOS_H
#define SEARCH_TOOLKIT_COMBOS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/demo_set.h"
#include "search/toolkit/proposer.h"
#include "search/toolkit/tpe.h"

struct combo {
    struct candidate *candidate; // owned, sealed
    int *choices;                // owned: of the first trial that asked for it
    double sum;                  // of the minibatch scores known so far
    size_t n;                    // their number
    bool full;                   // a full evaluation was submitted
};

struct combos {
    struct session *session;           // borrowed, like the next two
    const struct proposals *proposals; // one list per predictor
    const struct demo_set *sets;       // NULL: no demos
    size_t n_sets;
    const struct tunable *tunables[TUNABLES_MAX]; // borrowed
    size_t n_tunables;
    int *n_choices; // owned: the space's
    struct tpe_space space;
    struct combo **items; // owned
    size_t n;
};

// Starts without combos. Borrows session, proposals and sets. Returns false
// when out of memory; release the combos in any case.
bool combos_init(struct combos *combos, struct session *session,
                 const struct proposals *proposals, const struct demo_set *sets,
                 size_t n_sets, struct err *err);
void combos_release(struct combos *combos); // accepts a zeroed struct

// Returns the combo of these choices, creating it if it is new. Borrowed; NULL
// on failure.
struct combo *combos_get(struct combos *combos, const int *choices,
                         struct err *err);

// Returns the combo with the best mean over its minibatches among those without
// a full evaluation, or NULL if there is none. Of equals, the earlier one.
struct combo *combos_next_full(const struct combos *combos);

#endif
