// denial: words and signs which say that what stands next to them is not meant:
// "not B", "Rejected: B", "B (wrong)", "B: no", a crossed box.
//
// There is one list for all readers of answers: a word that takes a label back
// takes a number back as well. A denied value is not turned into its opposite:
// there is doubt, and what is in doubt is asked for again.

#ifndef PROGRAM_GRAPH_DENIAL_H
#define PROGRAM_GRAPH_DENIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// True when any word or sign of text (UTF-8) denies.
bool denial_in(const char *text, size_t len);

// The same for text in front of a choice, where "Rejected: B" and "Least
// likely: B" deny as well.
bool denial_of_choice(const char *text, size_t len);

// What a text that follows a value says of it.
//
// NONE      something else, though it may deny that: "the text has no date"
// WORDS     nothing but no: "no", "wrong", "0". It may also be the text of an
//           option: "B. No"
// SENTENCE  the same in words that need what they speak of: "which is not
//           right", "wait, no", "does not apply"
enum denial { DENIAL_NONE, DENIAL_WORDS, DENIAL_SENTENCE };

// How a text that follows a value begins; it is read up to the clause in which
// it denies.
enum denial denial_after(const char *text, size_t len);

// A sign that denies, such as a cross or an empty box.
bool denial_is_sign(uint32_t code);

#endif
