// concern: which rows a sentence of an instruction is about.
//
// A rule for one label cannot make a row of another label right. So what a
// sentence is worth shows on the rows that it is about, and only there: on an
// eighth of them, say, and then it is eight times as large as on all.
//
//   It names labels            the rows of these labels
//   It names none, but shares a word with some rows that most
//   others have not            these rows
//   It does neither            all rows
//
// Pure.

#ifndef SEARCH_TOOLKIT_CONCERN_H
#define SEARCH_TOOLKIT_CONCERN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/toolkit/study.h"

// One mark a row of the study, by place, all set by this.
bool concern_read(const struct study *study, size_t part, const char *sentence,
                  bool *marks, struct err *err);

#endif
