// utf8: code points in and out of UTF-8, and how wide they are.
//
// Strict, as in RFC 3629: no overlong forms, no surrogates, nothing over
// U+10FFFF.

#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

// Reads the sequence that text[0..len) starts with into *code. Returns its
// bytes, 1 to 4, or 0 when there is no valid one (or len is 0).
size_t utf8_next(const char *text, size_t len, uint32_t *code);

// Writes a valid code point to out; returns its bytes, 1 to 4.
size_t utf8_put(char out[4], uint32_t code);

// The largest length up to len that does not end inside a sequence of text.
// text is UTF-8 and may go on after len.
size_t utf8_cut(const char *text, size_t len);

// The columns of a terminal that a character takes: 2 for an ideograph, 0 for
// an accent that joins the one before it.
size_t utf8_columns(uint32_t code);

#endif
