// findings: what the runs of the leader, or of an entry like it, show: which
// step loses the points, which rows went wrong, which labels are mistaken for
// each other.
//
// The runs were made in trials, so they cost no call. Call only from the job's
// own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_FINDINGS_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"
#include "search/toolkit/diagnosis.h"

enum {
    FINDINGS_CONFUSIONS = 6,
    FINDINGS_SHOWN = 6, // failures that one reflection sees
};

struct findings {
    const struct entry *examined; // the entry whose runs these are
    struct runs *runs;            // owned
    size_t *places;               // owned: the places of their rows
    size_t *failed;               // owned: indices of items, in random order
    size_t n_failed;
    struct confusion confusions[FINDINGS_CONFUSIONS]; // of the step in the
                                                      // focus
    size_t n_confusions;
};

// Examines the runs and moves the search's focus to the step that costs most.
// `round` is the search's, from 0. The caller releases the findings, on failure
// too.
bool findings_make(struct search *search, size_t round, struct findings *found,
                   struct err *err);
void findings_release(struct search *search, struct findings *found);

// Returns what the step in the focus did in the runs.
struct diagnosis_runs findings_of_focus(const struct search *search,
                                        const struct findings *found);

#endif
