// word_diff: what became of a text, word by word.
//
// The longest common sequence of words is kept, the rest is gone or new:
//
//   "Classify the message."  ->  "Classify the customer's message."
//   same "Classify the "   new "customer's "   same "message."
//
// A word is a run of bytes up to and with the white space behind it, so that
// the pieces put together are the texts byte for byte, and a UTF-8 character
// is never cut. Texts that differ in more than WORD_DIFF_MAX words each, after
// what they begin and end with alike, are shown as gone and new whole: nobody
// reads such a diff word by word.

#ifndef COMMON_WORD_DIFF_H
#define COMMON_WORD_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum { WORD_DIFF_MAX = 3000 };

enum word_change { WORD_SAME, WORD_GONE, WORD_NEW };

struct word_piece {
    enum word_change change;
    const char *text; // borrowed of a or b
    size_t len;
};

struct word_diff {
    struct word_piece *pieces; // owned
    size_t n;
};

// What is gone comes before what is new in its place. out is to be released in
// any case.
bool word_diff_make(const char *a, const char *b, struct word_diff *out,
                    struct err *err);
void word_diff_release(struct word_diff *diff);

#endif
