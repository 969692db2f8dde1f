// words: splits a text into words, for code that compares or finds texts by the
// words they share.
//
// A word is a run of letters and digits, with the marks on them; punctuation,
// white space and most symbols only separate words. Chinese, Japanese, Thai,
// Lao, Khmer, Burmese and Yi put no spaces between words, and Korean attaches
// particles to them, so there each character is a word by itself. So is a
// pictograph. "Größe 退款" is three words.
//
// A single character says little, so a *term* is a word, or two neighboring
// characters of such a script (退款需 gives 退款 and 款需), or one that has no
// such neighbor. This is how search engines index these scripts without a
// dictionary (as bigrams).
//
// Letters are defined by Unicode's categories (utf8proc). Nothing is allocated.

#ifndef COMMON_WORDS_H
#define COMMON_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

// A reading position in a text. Set text and len (UTF-8, borrowed); the rest
// starts at 0.
struct words {
    const char *text;
    size_t len;
    bool decimals; // the point in 1.5 does not split the word
    size_t at;
    bool paired; // the character at `at` was the second one of the last term
};

struct word {
    const char *text; // points into the text being read
    size_t len;
    bool alone; // a character of a script without spaces, or a pictograph
};

// Reads the next word. Returns false at the end.
bool words_next(struct words *words, struct word *out);

// Reads the next term. Do not mix with words_next on the same text.
bool words_next_term(struct words *words, struct word *out);

// Appends the words of text with a space between them, so that the characters
// of scripts without spaces are separated like all other words.
void words_put_spaced(const char *text, size_t len, struct buf *out);

// Returns the length in bytes of the mark at the start of text[0..len) that
// ends a sentence: . ! ? followed by white space or the end of the text, or one
// of the full stops of Chinese and Japanese, which need no space after them.
// Returns 0 if there is none.
size_t words_sentence_end(const char *text, size_t len);

// Returns true for a comma, quote, dash or bracket of any script; within ASCII,
// for what Unicode calls punctuation (not $ + < = > ^ ` | ~).
bool words_is_punctuation(uint32_t code);

#endif
