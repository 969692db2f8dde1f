// forecast: what a job is expected to come to, in examples and trials, so that
// people are told how far it is. Nothing is decided by it.
//
// The optimizer says what its search will still submit, and the end of the run
// what comes after that (the test share). The budget may end the search before:
// what there is room for is reckoned at what an example took so far. Where
// neither is known, nothing is told. Pure.

#ifndef SEARCH_SESSION_FORECAST_H
#define SEARCH_SESSION_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/session/ledger.h"

// In examples that are run anew; those that a trial of the same candidate made
// before cost nothing.
struct forecast {
    int64_t submitted;
    int64_t settled;    // of these, in work that is accounted for
    int64_t search_end; // `submitted` once the search is over; -1: unknown
    int64_t after;      // that come then
    int64_t last_trial; // 0: not known
    int64_t told_examples, told_trials; // last
};

#define FORECAST_INIT ((struct forecast){.search_end = -1})

void forecast_submitted(struct forecast *forecast, size_t examples);
void forecast_settled(struct forecast *forecast, size_t examples);

// The search will submit so many more; last_trial is the number of its last
// one, 0: not known. Replaces what was said before.
void forecast_expect(struct forecast *forecast, size_t examples,
                     int64_t last_trial);
void forecast_expect_after(struct forecast *forecast, size_t examples);

// What people are to be told by now: true when it differs from what they were
// told last. In both 0 stands for not known. most and used are of the budget,
// trials are those so far.
bool forecast_news(struct forecast *forecast, struct use most, struct use used,
                   int64_t trials_so_far, int64_t *examples, int64_t *trials);

#endif
