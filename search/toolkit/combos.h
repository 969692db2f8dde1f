// combos: combinations of an instruction and a demo set for each searched
// step, and of the job's tunables, as a search space and as candidates.
//
// The parameters are, for each predictor that the plan runs and in its order:
// the demo set (not in a search without demos), then the instruction; behind
// them the tunables. Choice 0 is the program as written: no demos, its own
// instruction, each tunable at its default.
//
// Combinations that come to the same candidate, because sets or instructions
// are alike, are one combo: what is known of it is known of all of them.

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
    double sum;                  // of minibatch scores that are known
    size_t n;                    // how many
    bool full;                   // a full evaluation was submitted
};

struct combos {
    struct session *session;           // borrowed, as the next two
    const struct proposals *proposals; // one list a predictor
    const struct demo_set *sets;       // NULL: no demos
    size_t n_sets;
    const struct tunable *tunables[TUNABLES_MAX]; // borrowed
    size_t n_tunables;
    int *n_choices; // owned: of space
    struct tpe_space space;
    struct combo **items; // owned
    size_t n;
};

bool combos_init(struct combos *combos, struct session *session,
                 const struct proposals *proposals, const struct demo_set *sets,
                 size_t n_sets, struct err *err);
void combos_release(struct combos *combos); // zeroed is fine

// The combo of these choices, made when it is new. Borrowed; NULL on failure.
struct combo *combos_get(struct combos *combos, const int *choices,
                         struct err *err);

// Among the combos without a full evaluation, the one with the best mean over
// its minibatches; the earlier of equals. NULL when there is none.
struct combo *combos_next_full(const struct combos *combos);

#endif
