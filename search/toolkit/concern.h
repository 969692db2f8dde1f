// concern: which rows a sentence of an instruction is about.
//
// A rule for one label cannot fix a row of another label. So the worth of a
// sentence shows only on the rows that it is about. If these are an eighth of
// all rows, for example, its effect there is eight times its effect on all of
// them.
//
//   The sentence names labels: the rows of these labels.
//   It names none, but shares a rare word with some rows, one that at most a
//   quarter of all rows have: these rows.
//   Neither: all rows.
//
// Pure.

#ifndef SEARCH_TOOLKIT_CONCERN_H
#define SEARCH_TOOLKIT_CONCERN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/toolkit/corpus.h"

// Sets all marks, one per row of the corpus. `part` is the predictor whose
// instruction has the sentence.
bool concern_read(const struct corpus *corpus, size_t part,
                  const char *sentence, bool *marks, struct err *err);

#endif
