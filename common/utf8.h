// utf8: converts code points to and from UTF-8, and tells how wide they are.
//
// Strict, as in RFC 3629: no overlong forms, no surrogates, nothing over
// U+10FFFF.

#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Reads the sequence at the start of text[0..len) into *code. Returns its
// length in bytes, 1 to 4, or 0 if there is no valid one (or len is 0).
size_t utf8_next(const char *text, size_t len, uint32_t *code);

// Writes a valid code point to out; returns its length in bytes, 1 to 4.
size_t utf8_put(char out[4], uint32_t code);

// Returns true for a byte that is in a sequence, but not the first of it.
bool utf8_follows(unsigned char byte);

// Returns the largest length up to len that does not end inside a sequence.
// text is UTF-8 and may continue after len.
size_t utf8_cut(const char *text, size_t len);

// Returns how many terminal columns a character takes: 2 for an ideograph, 0
// for an accent that combines with the character before it.
size_t utf8_columns(uint32_t code);

#endif
