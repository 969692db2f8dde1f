// credit: which step a failure is owed to, found out by trying.
//
// In a chain of steps, what the last one got wrong may be the fault of an
// earlier one, and the row often has no label for that one: it says nothing of
// a summary or a query. So a right value is put in place of what the step gave,
// and the steps behind it run on that. If the whole then comes out right, the
// step is the culprit. The right value is
//
//   the row's label, laid over what the step gave, where there is one;
//   else what the step gave in a run of another candidate on this row that
//   ended right.
//
// A step that gave the right value already is cleared without a call. What no
// earlier step mends is charged to the last.
//
// A row for which there is neither label nor winner says nothing. For the job's
// own thread.

#ifndef SEARCH_TOOLKIT_CREDIT_H
#define SEARCH_TOOLKIT_CREDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/board.h"
#include "search/toolkit/study.h"

enum { CREDIT_ROWS = 8 }; // that are tried at most

// Runs of an entry that went wrong: indices of items, n of them.
struct credit_failures {
    const struct entry *entry;
    const struct runs *runs;
    const size_t *failed;
    size_t n;
};

// Fills shares, one a predictor, with the part of the failures that is charged
// to it. *tried says how many failures were tried; if it is 0, shares is left
// alone. Candidates that were right on a row are found on the board.
bool credit_measure(const struct study *study, const struct board *board,
                    const struct credit_failures *failures, double *shares,
                    size_t *tried, struct err *err);

#endif
