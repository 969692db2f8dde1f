// tried: the combinations that a search has tried, and what it may know about
// them.
//
// The lag fixes what is known: the next trial may depend on those up to
// leader_known, and treats later ones as running even if they are done. A trial
// without any scored row says nothing and is treated as running forever.
//
// The program as written is the first entry: it was scored before the search.
//
// Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_MIPROV2_TRIED_H
#define SEARCH_OPTIMIZERS_MIPROV2_TRIED_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/combos.h"

struct tried_trial {
    const struct trial *trial; // the session's; NULL: the program as written
    struct combo *combo;       // one of the combos
    int *choices;              // owned: one per parameter
};

// Zeroed means none.
struct tried {
    struct session *session;    // borrowed
    struct combos *combos;      // borrowed
    double as_written;          // score of the program as written, 0 to 1
    struct tried_trial *trials; // owned, in the order of their numbers
    size_t n;
    size_t counted; // trials that are included in the means of the combos
};

// Starts with the program as written, which scored `as_written` on the rows
// that count. Its combination needs no full evaluation.
bool tried_init(struct tried *tried, struct session *session,
                struct combos *combos, double as_written, struct err *err);
void tried_release(struct tried *tried); // zeroed is fine

// Adds the newest trial, with these choices (copied).
bool tried_add(struct tried *tried, const struct trial *trial,
               struct combo *combo, const int *choices, struct err *err);

// Adds the scores of the minibatches up to trial number `known` to the means of
// the combos.
void tried_count(struct tried *tried, size_t known);

// Writes the choices that TPE proposes for the next trial to out, one per
// parameter.
bool tried_propose(const struct tried *tried, int *out, struct err *err);

#endif
