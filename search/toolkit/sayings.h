// sayings: of one predictor, which of its texts hold what the teacher said, and
// which rows of the board each sentence is about.
//
// Read afresh whenever the space has grown: a text that is new may hold a
// sentence that is old, and the other way round.
//
// For the job's own thread.

#ifndef SEARCH_TOOLKIT_SAYINGS_H
#define SEARCH_TOOLKIT_SAYINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/toolkit/board.h"
#include "search/toolkit/space.h"
#include "search/toolkit/study.h"

struct sayings {
    size_t n;       // sentences
    size_t n_rows;  // of the board
    bool *held;     // owned, as the next: by text, then by sentence
    bool *about;    // by sentence, then by place on the board
    double *share;  // by sentence: of all rows
    double *voices; // by text: how many of its sentences are about a row, in
                    // doublings, on the average over the rows
};

// Zeroed at first, then as it was read before.
bool sayings_read(struct sayings *sayings, const struct space *space,
                  const struct study *study, const struct board *board,
                  size_t part, struct err *err);
void sayings_release(struct sayings *sayings); // zeroed is fine

// How many sentences of the text are about the row at `place`, in doublings.
double sayings_voices(const struct sayings *sayings, size_t text, size_t place);

#endif
