// effects: what each part of a prompt adds to the score, from few scores of
// few combinations (a ridge regression with effects of rows).
//
// A score is modelled as a sum: what all share, what each part of the candidate
// adds (its instruction, its demos), what the combination as a whole adds
// beyond that, how easy the row is, and noise.
//
//   score = sum over terms of value x effect + row + noise
//
// Effects are normal around 0 with a deviation that the caller gives. A narrow
// deviation keeps a part that was seen twice from looking great; a wide one
// leaves the effect free. Rows are effects too, and are summed out: scores of
// one row share its easiness, so two candidates that were scored on the same
// row are compared by their difference, and a candidate that met only easy rows
// gets no credit for that. The system is solved once by Cholesky's method. Then
// the mean and variance of any combination can be computed, even of one that
// was never tried.
//
// This is Bayesian linear regression with a random intercept per group. The
// covariance of a group's scores is noise x I + row x 11', and is inverted by
// the Sherman-Morrison formula.
//
// Pure.

#ifndef SEARCH_TOOLKIT_EFFECTS_H
#define SEARCH_TOOLKIT_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct effects;

struct effect_term {
    size_t effect; // its index
    double value;  // 1 if it is simply present
};

struct effect_guess {
    double mean;
    double deviation;
};

// Creates a model. `deviations` has one per effect, n of them, above 0; copied.
// `noise` and `row` are the deviations of a single score around the sum, and of
// the rows. Returns NULL when out of memory.
struct effects *effects_new(const double *deviations, size_t n, double noise,
                            double row, struct err *err);
void effects_free(struct effects *effects); // accepts NULL

// Adds a score that is the sum of these terms on that row. The terms are
// copied. `row` is any number shared by all scores of a row.
bool effects_add(struct effects *effects, const struct effect_term *terms,
                 size_t n_terms, size_t row, double score, struct err *err);

// Solves the model, so that guesses can be asked for.
void effects_solve(struct effects *effects);

// Guesses the score of a sum of terms on a row of average easiness.
struct effect_guess effects_guess(const struct effects *effects,
                                  const struct effect_term *terms,
                                  size_t n_terms);

#endif
