// lexicon: which rows are alike, and which words tell the labels apart.
//
// Each row is a bag of words: the texts of its inputs, folded and cut into
// words (common/words.h). The fewer rows have a word, the more it counts. The
// lexicon knows nothing about any language: no stop words, no stems. It serves
// to pick demos that differ and to name what is typical, not to understand.
//
// Pure once made.

#ifndef SEARCH_TOOLKIT_LEXICON_H
#define SEARCH_TOOLKIT_LEXICON_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/job/dataset.h"
#include "search/session/row_span.h"

struct lexicon;

// Reads rows of the dataset, which is not needed afterwards. A row is
// identified by its place among these. Returns NULL when out of memory.
struct lexicon *lexicon_new(const struct dataset *dataset, struct row_span rows,
                            struct err *err);
void lexicon_free(struct lexicon *lexicon); // accepts NULL

// Returns how alike two rows are: the cosine of their bags, 0 to 1.
double lexicon_alike(const struct lexicon *lexicon, size_t a, size_t b);

// Appends up to `most` words, joined by ", ", that rows of group `of` have and
// those of group `against` do not, the most telling first. `groups` has one
// number per row; against == -1 means all other groups. Returns the number of
// words.
size_t lexicon_typical(const struct lexicon *lexicon, const int *groups, int of,
                       int against, size_t most, struct buf *out);

// Returns the row of a group that is most like the others in it, or n if the
// group is empty.
size_t lexicon_middle(const struct lexicon *lexicon, const int *groups, int of);

// Marks the rows that share a rare word with the text: one that at most `most`
// rows have. Rows that are already marked stay marked. Returns false when out
// of memory.
bool lexicon_mark(const struct lexicon *lexicon, const char *text, size_t most,
                  bool *marks);

#endif
