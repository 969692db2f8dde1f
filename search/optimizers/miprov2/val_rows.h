// val_rows: the validation rows that count in a search.
//
// `auto` caps how many there are, lest every evaluation on all rows costs more
// than it tells: a sample of the share, drawn once by the job's seed. A trial
// is on all of them, or on a minibatch drawn afresh from them.

#ifndef SEARCH_OPTIMIZERS_MIPROV2_VAL_ROWS_H
#define SEARCH_OPTIMIZERS_MIPROV2_VAL_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/rng.h"
#include "search/session/session.h"

struct val_rows {
    size_t *rows;   // owned: of the dataset, ascending where they are a sample,
                    // else in the order of the share
    size_t *sorted; // owned: the same, ascending, to look them up
    size_t n;
};

// n of the validation share; n is no more than there are. False without memory.
bool val_rows_init(struct val_rows *val, const struct session *session,
                   size_t n, struct err *err);
void val_rows_release(struct val_rows *val); // zeroed is fine

// Draws k of them (at most n) into out, ascending. out has room for n.
void val_rows_draw(const struct val_rows *val, struct rng *rng, size_t k,
                   size_t *out);

// The mean of a trial over those of its rows that count and were scored; 0
// where there are none.
double val_rows_mean(const struct val_rows *val, const struct trial *trial);

#endif
