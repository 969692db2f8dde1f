// forecast: how many examples and trials a job is expected to take, so that
// people can see how far it is. Nothing is decided by it.
//
// The optimizer states what its search will still submit, and the end of the
// run states what comes after that (the test share). The budget may end the
// search earlier: the room left is computed from what an example has taken so
// far. If neither is known, nothing is reported. Pure.

#ifndef SEARCH_SESSION_FORECAST_H
#define SEARCH_SESSION_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/session/ledger.h"

// Counts examples that are run anew; those that a trial of the same candidate
// ran before cost nothing.
struct forecast {
    int64_t submitted;
    int64_t settled;    // of these, in work that is accounted for
    int64_t search_end; // value of `submitted` once the search is over; -1:
                        // unknown
    int64_t after;      // examples that follow the search
    int64_t last_trial; // 0: not known
    int64_t shown_examples, shown_trials; // as last reported
};

#define FORECAST_INIT ((struct forecast){.search_end = -1})

// Record that this many examples were submitted, or are done.
void forecast_submitted(struct forecast *forecast, size_t examples);
void forecast_settled(struct forecast *forecast, size_t examples);

// Records that the search will submit this many more examples. last_trial is
// the number of its last trial, or 0 if unknown. Replaces the previous
// statement.
void forecast_expect(struct forecast *forecast, size_t examples,
                     int64_t last_trial);
void forecast_expect_after(struct forecast *forecast, size_t examples);

// Computes what people should be told now; returns true if it differs from what
// they were told last. A result of 0 means unknown. `most` and `used` are the
// budget's; trials_so_far counts the trials up to now.
bool forecast_news(struct forecast *forecast, struct use most, struct use used,
                   int64_t trials_so_far, int64_t *examples, int64_t *trials);

#endif
