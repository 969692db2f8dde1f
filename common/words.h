// words: a text cut into words, for whatever compares texts, or finds them, by
// the words they share.
//
// A word is a run of letters and digits, with the marks on them; punctuation,
// white space and most symbols only part words. Chinese, Japanese, Thai, Lao,
// Khmer, Burmese and Yi put no blanks between words, and Korean writes
// particles onto them: there each character stands alone, as a word of its own.
// So does a pictograph. "Größe 退款" is three words.
//
// A character says little alone, so a *term* is a word, or two neighbouring
// characters that stand alone (退款需 gives 退款 and 款需), or such a character
// that has no neighbour. This is how search engines index these scripts without
// a dictionary (as bigrams).
//
// Letters are by the categories of Unicode (utf8proc). Nothing is allocated.

#ifndef COMMON_WORDS_H
#define COMMON_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

// Where a text is read. Set text and len (UTF-8, borrowed), the rest is 0.
struct words {
    const char *text;
    size_t len;
    bool decimals; // the point of 1.5 parts no word
    size_t at;
    bool paired; // the character at `at` is the second one of the last term
};

struct word {
    const char *text; // into the text that is read
    size_t len;
    bool alone; // a character of a script without blanks, or a pictograph
};

// The next word. False at the end.
bool words_next(struct words *words, struct word *out);

// The next term. Of one text, either words are read or terms.
bool words_next_term(struct words *words, struct word *out);

// Appends the words of text, a blank between two: characters that stand alone
// are then parted as all words are.
void words_spread(const char *text, size_t len, struct buf *out);

// The bytes of the mark at the begin of text[0..len) that ends a sentence: . !
// ? with white space or the end of the text behind it, or one of the full stops
// of Chinese and Japanese, which have no blank behind them. 0: there is none.
size_t words_stop(const char *text, size_t len);

// A comma, quote, dash or bracket of any script; of ASCII, what Unicode calls
// punctuation (not $ + < = > ^ ` | ~).
bool words_is_punctuation(uint32_t code);

#endif
