// mend: the leader without those sentences of its instruction that do harm.
//
// A teacher says wrong things too. The cost of one wrong sentence can hardly be
// seen in a score: a tenth of a few rows. But if it does harm, it does so on
// rows that it is about (concern.h) and that now go wrong. So the leader is run
// on these rows alone, once for each sentence, with that sentence left out.
// This takes a few calls, where a whole comparison takes dozens.
//
// Rows that were chosen because they went wrong go right more often the next
// time, whatever the prompt says. So a sentence without which at least half of
// its rows come out right is only suspect. It is then left out on rows that it
// is about and that went right. It is harmful if more is gained than lost.
//
//   leader     "... Take A, never B ..."   rows about it: 3 wrong, 14 right
//   without    3 of the 3 come out right, and 13 of the 14: it does harm
//
// The leader without everything harmful is only a candidate: a race decides
// whether it is better.
//
// Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_MEND_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_MEND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// Tests the teacher's sentences in the leader's instruction for the predictor
// in the focus, and screens the leader without those that do harm. The outlook
// learns from all of these scores. *mended is set if such a candidate exists
// and was not on the board before.
bool mend_leader(struct search *search, size_t round, bool *mended,
                 struct err *err);

#endif
