// diagnosis: where a candidate loses its points.
//
// Works from traced runs of the student, that is, from what each step took and
// gave. The runs of a candidate that was scored on these rows before cost no
// call: they repeat calls that were already made.
//
// A failed run is charged to one step: the first one, in running order, that
// gave no readable answer or an answer other than the row's label. If no step
// contradicts a label, the run is charged to the last step without a label,
// which cannot be cleared, or else to the last step.
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_DIAGNOSIS_H
#define SEARCH_TOOLKIT_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/classes.h"
#include "search/toolkit/wording.h"

// Submits runs of the candidate on rows as its trials do, with traces, and
// returns at once: calls that a trial has already made on a row are not
// repeated. Returns NULL on failure. The caller drops the runs (runs_drop).
struct runs *diagnosis_submit(struct session *session,
                              struct candidate *candidate, struct row_span rows,
                              struct err *err);

// Submits such runs and waits for them. Returns NULL on failure.
struct runs *diagnosis_trace(struct session *session,
                             struct candidate *candidate, struct row_span rows,
                             struct err *err);

// Returns true if the item ended and scored below `pass`.
bool diagnosis_failed(const struct task_item *item, double pass);

// Writes to shares, one per predictor, the part of the failures that is charged
// to it. They sum to 1, or are all 0 if nothing failed.
void diagnosis_charge(const struct session *session,
                      const struct task_item *items, size_t n, double pass,
                      double *shares);

// What a step did in runs: items[i] ran on the row at places[i] of classes. A
// run is right if it scored at least `pass`. All borrowed.
struct diagnosis_runs {
    const struct classes *classes;
    int step;
    const struct task_item *items;
    const size_t *places;
    size_t n;
    double pass;
};

// Writes to out the pairs of labels that the step mistook for each other most
// often, at most `most` of them. Returns their number.
size_t diagnosis_confusions(const struct diagnosis_runs *runs,
                            struct confusion *out, size_t most);

// Reorders failed runs (n indices of items) so that runs which mistook the same
// two labels for each other, in either direction, come together. A reader of a
// few consecutive runs then sees both sides of one border, instead of one case
// each of many borders. Pairs of labels take turns, the most frequent first,
// with `portion` runs each. Runs that missed none of the step's labels come
// last, in their old order.
bool diagnosis_group(const struct diagnosis_runs *runs, size_t portion,
                     size_t *failed, size_t n, struct err *err);

// Finds right runs on rows whose label is the one that a failed run gave by
// mistake: the other side of the border. Writes indices of items to out: one
// for each failed run that has such a run left, at most `most`, none twice.
// Returns their number.
size_t diagnosis_contrasts(const struct diagnosis_runs *runs,
                           const size_t *failed, size_t n_failed, size_t *out,
                           size_t most);

#endif
