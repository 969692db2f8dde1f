// effects: what each part of a prompt adds to the score, from few scores of
// few combinations (a ridge regression with effects of rows).
//
// A score is taken as a sum: what all share, what each part of the candidate
// adds (its instruction, its demos), what the combination as a whole adds
// beyond that, how easy the row is, and noise.
//
//   score = sum over terms of value x effect + row + noise
//
// Effects are normal around 0 with a deviation that the caller gives, which
// keeps a part that was seen twice from looking great; a wide one leaves an
// effect free. Rows are effects too, and are summed out: scores of one row
// share its easiness, so two candidates that were scored on the same row are
// compared by their difference, and one that met easy rows only is not praised
// for it. The sum is solved once by Cholesky's method; then mean and variance
// of any combination can be asked for, also of one that was never tried.
//
// (Bayesian linear regression with a random intercept a group. The covariance
// of a group's scores is noise x I + row x 11', and is inverted by the
// Sherman-Morrison formula.)
//
// Pure.

#ifndef SEARCH_TOOLKIT_EFFECTS_H
#define SEARCH_TOOLKIT_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct effects;

struct effect_term {
    size_t effect; // which
    double value;  // 1 where it is simply there
};

struct effect_guess {
    double mean;
    double deviation;
};

// deviations: of each of n effects, above 0; copied. noise and row: the
// deviations of a single score around the sum, and of the rows. NULL without
// memory.
struct effects *effects_new(const double *deviations, size_t n, double noise,
                            double row, struct err *err);
void effects_free(struct effects *effects); // NULL is fine

// Adds a score, which is the sum of those terms on that row. terms are copied;
// row is any number that is the same for all scores of a row.
bool effects_add(struct effects *effects, const struct effect_term *terms,
                 size_t n_terms, size_t row, double score, struct err *err);

// Solves; guesses may be asked for afterwards.
void effects_solve(struct effects *effects);

// Guesses the score of a sum of terms on a row of middling easiness.
struct effect_guess effects_guess(const struct effects *effects,
                                  const struct effect_term *terms,
                                  size_t n_terms);

#endif
