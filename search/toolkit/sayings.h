// sayings: which texts of a predictor hold which sentences of the teacher, and
// which rows of the board each sentence is about.
//
// Read again whenever the space has grown: a new text may hold an old sentence,
// and an old text a new one.
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_SAYINGS_H
#define SEARCH_TOOLKIT_SAYINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/toolkit/corpus.h"
#include "search/toolkit/space.h"

struct sayings {
    size_t n;       // sentences
    size_t n_rows;  // of the board
    bool *held;     // owned, like those below: by text, then by sentence
    bool *about;    // by sentence, then by place on the board
    double *share;  // by sentence: share of all rows that it is about
    double *voices; // by text: the number of its sentences about a row, in
                    // doublings, averaged over the rows
};

// Reads the sayings of a part. `corpus` is that of the board's rows. `sayings`
// is zeroed at first, and afterwards holds the previous result.
bool sayings_read(struct sayings *sayings, const struct space *space,
                  const struct corpus *corpus, size_t part, struct err *err);
void sayings_release(struct sayings *sayings); // accepts a zeroed struct

// Returns how many sentences of the text are about the row at `place`, in
// doublings.
double sayings_voices(const struct sayings *sayings, size_t text, size_t place);

#endif
