// evaluate: scores a program as it is, without a search.

#ifndef SEARCH_EVALUATE_H
#define SEARCH_EVALUATE_H

#include <stdbool.h>

#include "common/err.h"
#include "search/session/note.h"
#include "search/session/session.h"

// Scores the program as written, or the compiled one of the request, on the
// rows of --data, else on the test share, else on the validation share. Fills
// in the ending's document (owned by the ending) and its score, 0 to 1. Blocks,
// on the job's own thread. Returns false if there is no score: the budget or a
// fault ended the job, or the compiled file belongs to another program
// (ERR_INPUT).
bool evaluate_job(struct session *session, struct ending *ending,
                  struct err *err);

#endif
