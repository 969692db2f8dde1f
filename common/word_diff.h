// word_diff: what changed between two texts, word by word.
//
// The longest common sequence of words is kept; everything else is gone or new:
//
//   "Classify the message."  ->  "Classify the customer's message."
//   same "Classify the "   new "customer's "   same "message."
//
// A word is a run of bytes including the white space after it, so that the
// pieces together give back the texts byte for byte, and no UTF-8 character is
// ever cut. If, after their common beginning and end, one of the texts still
// has more than WORD_DIFF_MAX words, the rest is shown as gone and new as a
// whole: nobody reads such a diff word by word.

#ifndef COMMON_WORD_DIFF_H
#define COMMON_WORD_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum { WORD_DIFF_MAX = 3000 };

enum word_change { WORD_SAME, WORD_GONE, WORD_NEW };

struct word_piece {
    enum word_change change;
    const char *text; // borrowed from a or b
    size_t len;
};

struct word_diff {
    struct word_piece *pieces; // owned
    size_t n;
};

// Compares a and b into out. Gone words come before the new ones that replace
// them. Release out even if this fails.
bool word_diff_make(const char *a, const char *b, struct word_diff *out,
                    struct err *err);
void word_diff_release(struct word_diff *diff);

#endif
