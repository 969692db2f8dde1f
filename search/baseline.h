// baseline: the program as written, scored: what a search has to beat.
//
// Under `adapter: auto` both forms of the answer are tried on the first rows of
// the validation share, and the baseline is the program in the better one. An
// optimizer that begins early (optimizer.h) gets the first rows alone; else all
// of the share is scored.

#ifndef SEARCH_BASELINE_H
#define SEARCH_BASELINE_H

#include "search/results.h"

enum {
    BASELINE_FIRST_ROWS = 32, // they choose the form of answer, and a search
                              // may begin with them
};

// Scores it and makes it the session's baseline and best. If the budget ends
// before that, the rows that chose the form of answer are the baseline, and
// found->is_over is set. ERR_BUDGET: there is no score at all; ERR_INPUT: the
// prompt does not fit num_ctx.
bool baseline_score(struct session *session, struct results *found,
                    struct err *err);

// Makes the rows that were scored to choose the form the baseline, if there are
// any.
void baseline_settle(struct session *session, struct results *found);

// The calls and tokens that it took, those of choosing its form included.
struct use baseline_use(const struct results *found);

#endif
