// data_summary: what the training examples are like, in the teacher's words.
//
// The teacher sees the examples batch by batch and notes what it observes;
// each time it is shown its notes so far, and says COMPLETE when there is
// nothing to add. In the end it sums the notes up. At most ten batches are
// shown, so the cost has a bound however large the data are.

#ifndef SEARCH_TOOLKIT_DATA_SUMMARY_H
#define SEARCH_TOOLKIT_DATA_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "search/session/session.h"

enum { SUMMARY_OBSERVATIONS = 10, SUMMARY_SKIPS = 5 };

// *out is the caller's to free: the summary, or NULL where the teacher gave
// nothing usable. Draws of the purpose "summary" below 100 are used.
bool data_summary(struct session *session, int64_t batch_size, char **out,
                  struct err *err);

#endif
