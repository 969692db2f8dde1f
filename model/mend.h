// mend: makes a server's JSON readable if a model's text or numbers broke it.
//
// A model may write half a character, a NUL or one half of a surrogate pair. A
// server that passes this on sends something that no JSON parser accepts. That
// is a property of the answer, not of the machine: asking again gives the same.
// So such bytes and escapes become U+FFFD, and the answer is read.
//
// Servers written in Python also put NaN and infinities, which JSON lacks,
// among log-probabilities and counts. They become null: an unknown number about
// a token is no reason to reject the answer.

#ifndef MODEL_MEND_H
#define MODEL_MEND_H

#include <stddef.h>

#include "common/buf.h"

// Appends text to out, with invalid UTF-8, \u0000, lone surrogates, NaN and
// infinities mended.
void mend_json(struct buf *out, const char *text, size_t len);

#endif
