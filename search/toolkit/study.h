// study: the rows to train on and what is known about them: which answers are
// classes, which rows are alike, which go wrong, which can be demos.
//
// Demo sets and instructions are made from this. Rows are identified by their
// place among those to train on. At most STUDY_ROWS of them are used.
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_STUDY_H
#define SEARCH_TOOLKIT_STUDY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/bank.h"
#include "search/toolkit/board.h"
#include "search/toolkit/corpus.h"

enum {
    STUDY_ROWS = 400,
    STUDY_TRACED = 40, // rows that are run if they are not scored anyway
};

struct study {
    struct session *session; // borrowed
    const struct program *program;
    size_t *rows; // owned, like all below
    size_t n;
    bool *searched; // by predictor: true if the plan runs it
    double *hard;   // by place: 1 wrong, 0 right, as last seen
    struct corpus corpus;
    struct bank *bank;
    double pass; // the score from which a run is right
};

// `pass` is described in bank.h.
bool study_init(struct study *study, struct session *session, double pass,
                struct err *err);
void study_release(struct study *study); // accepts a zeroed study

// Returns the number of steps whose prompts are searched.
size_t study_count_searched(const struct study *study);

// Runs the entry's candidate on rows to train on and learns from the runs. If
// training and validation use the same rows, these are the rows that the entry
// was scored on, and they cost no call. Otherwise they are the first
// STUDY_TRACED. If the budget is small, they are fewer. `places` (room for all
// rows) tells which row each item ran on. Returns NULL on failure. The caller
// drops the runs.
struct runs *study_trace(struct study *study, const struct board *board,
                         const struct entry *entry, size_t *places,
                         struct err *err);

// Learns demos from right runs of the board's entries, on rows that cannot yet
// be demos of every step: a step without labels has no other demos. The runs
// are in the store, so they cost no call.
bool study_harvest(struct study *study, const struct board *board,
                   struct err *err);

// Returns the place of a row of the dataset, or n if it is not one of these.
size_t study_place(const struct study *study, int row);

#endif
