// lexicon: which rows are alike, and which words tell the labels apart.
//
// Rows as bags of words: the inputs' texts, folded and cut into words
// (common/words.h). A word counts the more the fewer rows have it. It knows
// nothing of any language: no stop words, no stems. It is there to pick demos
// that differ and to name what is typical, not to understand.
//
// Pure once made.

#ifndef SEARCH_TOOLKIT_LEXICON_H
#define SEARCH_TOOLKIT_LEXICON_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/job/dataset.h"

struct lexicon;

// Reads n rows of the dataset, which is not read again later. A row is known by
// its place among these n. NULL without memory.
struct lexicon *lexicon_new(const struct dataset *dataset, const size_t *rows,
                            size_t n, struct err *err);
void lexicon_free(struct lexicon *lexicon); // NULL is fine

// How alike two rows are: the cosine of their bags, 0 to 1.
double lexicon_alike(const struct lexicon *lexicon, size_t a, size_t b);

// Appends up to `most` words, joined by ", ", that rows of group `of` have and
// those of group `against` have not, the most telling first. groups has one
// number a row; against -1 stands for all other groups. Returns how many.
size_t lexicon_typical(const struct lexicon *lexicon, const int *groups, int of,
                       int against, size_t most, struct buf *out);

// The row of a group that is most like the others in it; n when the group is
// empty.
size_t lexicon_middle(const struct lexicon *lexicon, const int *groups, int of);

// Marks the rows that share a rare word with the text: one that at most `most`
// rows have. Rows that are marked already stay so. False without memory.
bool lexicon_mark(const struct lexicon *lexicon, const char *text, size_t most,
                  bool *marks);

#endif
