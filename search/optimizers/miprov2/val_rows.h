// val_rows: the validation rows that count in a search.
//
// `auto` limits their number, so that an evaluation on all rows does not cost
// more than it tells. They are a sample of the share, drawn once from the job's
// seed. A trial uses all of them, or a newly drawn minibatch.

#ifndef SEARCH_OPTIMIZERS_MIPROV2_VAL_ROWS_H
#define SEARCH_OPTIMIZERS_MIPROV2_VAL_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/rng.h"
#include "search/session/session.h"

struct val_rows {
    size_t *rows;   // owned: of the dataset, ascending if they are a sample,
                    // otherwise in the share's order
    size_t *sorted; // owned: the same, ascending, for looking them up
    size_t n;
};

// Picks n rows of the validation share, which must have that many. Returns
// false when out of memory.
bool val_rows_init(struct val_rows *val, const struct session *session,
                   size_t n, struct err *err);
void val_rows_release(struct val_rows *val); // zeroed is fine

// Draws k of the rows (at most n) into out, ascending. out has room for n.
void val_rows_draw(const struct val_rows *val, struct rng *rng, size_t k,
                   size_t *out);

// Returns the mean of a trial over those of its rows that count and were
// scored; 0 if there are none.
double val_rows_mean(const struct val_rows *val, const struct trial *trial);

#endif
