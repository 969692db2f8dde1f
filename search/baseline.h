// baseline: scores the program as written, which a search has to beat.
//
// Under `adapter: auto`, both forms of the answer are tried on the first rows
// of the validation share, and the baseline is the program in the better form.
// An optimizer that begins early (optimizer.h) gets a baseline on the first
// rows alone; otherwise the whole share is scored.

#ifndef SEARCH_BASELINE_H
#define SEARCH_BASELINE_H

#include "search/results.h"

enum {
    BASELINE_FIRST_ROWS = 32, // they choose the form of answer, and a search
                              // may begin with them
};

// Scores the baseline and makes it the session's baseline and best trial. If
// the budget ends first, the rows that chose the form of answer become the
// baseline, and found->is_over is set. ERR_BUDGET: there is no score at all.
// ERR_INPUT: the prompt does not fit num_ctx.
bool baseline_score(struct session *session, struct results *found,
                    struct err *err);

// Makes the rows that were scored to choose the form the baseline, if there are
// any.
void baseline_settle(struct session *session, struct results *found);

// Returns the calls and tokens of the baseline, including those that chose its
// form.
struct use baseline_use(const struct results *found);

#endif
