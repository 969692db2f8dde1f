// credit: which step a failure is due to, found out by trying.
//
// In a chain of steps, an error of the last one may be the fault of an earlier
// one, and the row often has no label for that step: it has none for a summary
// or a query. So the step's output is replaced by a right value, and the later
// steps run on that. If the final answer then comes out right, the step is the
// culprit. The right value is
//
//   the row's label, laid over what the step gave, if there is one;
//   otherwise what the step gave in a run of another candidate that was right
//   on this row.
//
// A step that already gave the right value is cleared without a call. A failure
// that no earlier step mends is charged to the last.
//
// A row with neither a label nor a right run tells nothing. Call only from the
// job's own thread.

#ifndef SEARCH_TOOLKIT_CREDIT_H
#define SEARCH_TOOLKIT_CREDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/board.h"
#include "search/toolkit/study.h"

enum { CREDIT_ROWS = 8 }; // at most this many failures are tried

// Runs of an entry that went wrong; `failed` holds n indices of items.
struct credit_failures {
    const struct entry *entry;
    const struct runs *runs;
    const size_t *failed;
    size_t n;
};

// Writes to shares, one per predictor, the part of the failures that is charged
// to it. *tried is the number of failures that were tried; if it is 0, shares
// is left unchanged. Candidates that were right on a row come from the board.
bool credit_measure(const struct study *study, const struct board *board,
                    const struct credit_failures *failures, double *shares,
                    size_t *tried, struct err *err);

#endif
