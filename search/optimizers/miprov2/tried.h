// tried: the combinations that a search has tried, and what it may know of
// them.
//
// What is known is fixed by the lag: the next trial may depend on those up to
// leader_known, and takes the later ones as running, even where they are done.
// A trial of which no row was scored says nothing, and stays as if running.
//
// The program as written is the first entry: it was scored before the search.
//
// For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_MIPROV2_TRIED_H
#define SEARCH_OPTIMIZERS_MIPROV2_TRIED_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/combos.h"

struct tried_trial {
    const struct trial *trial; // the session's; NULL: the program as written
    struct combo *combo;       // of the combos
    int *choices;              // owned: one a parameter
};

// Zeroed is none.
struct tried {
    struct session *session;    // borrowed
    struct combos *combos;      // borrowed
    double as_written;          // score of the program as written, 0 to 1
    struct tried_trial *trials; // owned, in the order of their numbers
    size_t n;
    size_t counted; // of trials: those that are in the means of the combos
};

// as_written: what the program as written scored on the rows that count. Its
// combination needs no full evaluation any more.
bool tried_init(struct tried *tried, struct session *session,
                struct combos *combos, double as_written, struct err *err);
void tried_release(struct tried *tried); // zeroed is fine

// Adds a trial of these choices (copied), which is the newest.
bool tried_add(struct tried *tried, const struct trial *trial,
               struct combo *combo, const int *choices, struct err *err);

// Adds to the means of the combos what the minibatches up to trial number
// `known` came to.
void tried_count(struct tried *tried, size_t known);

// The choices that TPE proposes for the next trial, into out (one a parameter).
bool tried_propose(const struct tried *tried, int *out, struct err *err);

#endif
