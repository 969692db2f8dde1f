// diagnosis: where a candidate loses its points.
//
// From traced runs of the student, that is, from what each step took and gave.
// The runs of a candidate that was scored on these rows before cost no call:
// they ask what was asked already.
//
// A run that went wrong is charged to one step: the first, in the order in
// which they run, that gave no readable answer, or another one than the row's
// label. Where no step contradicts a label, it is charged to the last step that
// has no label and so cannot be cleared; else to the last one.
//
// For the job's own thread.

#ifndef SEARCH_TOOLKIT_DIAGNOSIS_H
#define SEARCH_TOOLKIT_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/classes.h"
#include "search/toolkit/wording.h"

// Runs of candidate on rows as its trials make them, with traces. NULL on
// failure; the caller drops them (runs_drop).
struct runs *diagnosis_trace(struct session *session,
                             struct candidate *candidate, const size_t *rows,
                             size_t n, struct err *err);

// Whether the item ended, and below `pass`.
bool diagnosis_failed(const struct task_item *item, double pass);

// Fills shares, one a predictor, with the part of the failures that is charged
// to it. They sum to 1, or are all 0 when nothing failed.
void diagnosis_charge(const struct session *session,
                      const struct task_item *items, size_t n, double pass,
                      double *shares);

// What a step did in runs: items[i] ran on the row at places[i] of classes, and
// went right with a score of `pass`. All borrowed.
struct diagnosis_runs {
    const struct classes *classes;
    int step;
    const struct task_item *items;
    const size_t *places;
    size_t n;
    double pass;
};

// The pairs of labels that the step mistook for each other most often, at most
// `most`, into out; returns how many.
size_t diagnosis_confusions(const struct diagnosis_runs *runs,
                            struct confusion *out, size_t most);

// Reorders failed runs (indices of items, n of them) so that those which took
// the same two labels for each other, either way round, stand together. Whoever
// is shown a few of them in a row then sees both sides of one border instead of
// one case each of many borders. Pairs of labels take turns, the most frequent
// first, with `portion` runs each. Runs that missed no label of the step come
// last, in their old order.
bool diagnosis_group(const struct diagnosis_runs *runs, size_t portion,
                     size_t *failed, size_t n, struct err *err);

// Finds runs that were right with the very label that a failed run gave in
// error: the other side of the border. Writes indices of items to out, at most
// `most`, first one for each failed run; returns how many.
size_t diagnosis_contrasts(const struct diagnosis_runs *runs,
                           const size_t *failed, size_t n_failed, size_t *out,
                           size_t most);

#endif
