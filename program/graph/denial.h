// denial: words and signs that say the text next to them is not meant: "not B",
// "Rejected: B", "B (wrong)", "B: no", a crossed box.
//
// All readers of answers share one list, so a word that takes back a label
// takes back a number as well. A denied value is not turned into its opposite:
// the answer is treated as doubtful, and the question is asked again.

#ifndef PROGRAM_GRAPH_DENIAL_H
#define PROGRAM_GRAPH_DENIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Returns true if any word or sign in the text (UTF-8) denies.
bool denial_in(const char *text, size_t len);

// Like denial_in, for text in front of a choice, where "Rejected: B" and "Least
// likely: B" deny as well.
bool denial_of_choice(const char *text, size_t len);

// What the text after a value says about that value.
//
// NONE      something else, even if that is denied: "the text has no date"
// WORDS     nothing but a denial: "no", "wrong", "0". It may also be the text
//           of an option: "B. No"
// SENTENCE  a denial in words that refer back to the value: "which is not
//           right", "wait, no", "does not apply"
enum denial { DENIAL_NONE, DENIAL_WORDS, DENIAL_SENTENCE };

// Classifies the text that follows a value. It reads up to the first clause
// that denies.
enum denial denial_after(const char *text, size_t len);

// Returns true for a sign that denies, such as a cross or an empty box.
bool denial_is_sign(uint32_t code);

#endif
