// data_summary: what the training examples are like, in the teacher's words.
//
// The teacher sees the examples batch by batch and notes what it observes. Each
// time it also sees its notes so far, and it answers COMPLETE when there is
// nothing to add. At the end it summarizes the notes. At most ten batches are
// shown, so the cost is bounded however large the data is.

#ifndef SEARCH_TOOLKIT_DATA_SUMMARY_H
#define SEARCH_TOOLKIT_DATA_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "search/session/session.h"

enum { SUMMARY_OBSERVATIONS = 10, SUMMARY_SKIPS = 5 };

// Writes the summary to *out, or NULL if the teacher gave nothing usable; the
// caller frees it. Uses draws below 100 of the purpose "summary".
bool data_summary(struct session *session, int64_t batch_size, char **out,
                  struct err *err);

#endif
