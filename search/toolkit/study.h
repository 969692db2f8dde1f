// study: the rows to train on, and what is known of them: which answers are
// classes, which rows are alike, which go wrong, which can be demos.
//
// What demo sets and instructions are made from. Rows are known by their place
// among those to train on. At most STUDY_ROWS of them are looked at.
//
// For the job's own thread.

#ifndef SEARCH_TOOLKIT_STUDY_H
#define SEARCH_TOOLKIT_STUDY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/bank.h"
#include "search/toolkit/board.h"
#include "search/toolkit/classes.h"
#include "search/toolkit/lexicon.h"

enum {
    STUDY_ROWS = 400,
    STUDY_TRACED = 40, // rows that are run, where none was scored
};

struct study {
    struct session *session; // borrowed
    const struct program *program;
    size_t *rows; // owned, as all below
    size_t n;
    bool *searched;                // by predictor: the plan runs it
    struct classes *classes;       // by predictor
    const struct classes **covers; // by predictor: what its demo sets cover:
                                   // its own classes, or, where it has none,
                                   // those of the last step that has some
    double *hard;                  // by place: 1 wrong, 0 right; as last seen
    struct lexicon *lexicon;
    struct bank *bank;
    double pass; // score from which a run is right
};

// pass: see bank.h.
bool study_init(struct study *study, struct session *session, double pass,
                struct err *err);
void study_release(struct study *study); // zeroed is fine

// How many steps there are whose prompts are searched.
size_t study_count_searched(const struct study *study);

// Runs of the entry's candidate on rows to train on, learned from. Where these
// are the rows that it was scored on, they are those rows, and cost no call.
// places (room for all) says which row each item ran on. NULL on failure; the
// caller drops them.
struct runs *study_trace(struct study *study, const struct board *board,
                         const struct entry *entry, size_t *places,
                         struct err *err);

// Learns demos from runs of entries of the board that were right, on rows that
// cannot be demos of every step yet: a step without labels has no other demos.
// The runs are in the store, so they cost no call.
bool study_harvest(struct study *study, const struct board *board,
                   struct err *err);

// The place of a row of the dataset; n when it is none of these.
size_t study_place(const struct study *study, int row);

#endif
