// fold: compares texts as a reader does, ignoring case and how accents are
// encoded.
//
// Folding composes characters (NFC: an e followed by a combining accent is the
// same as é) and removes case (Unicode's full case folding, by utf8proc: Straße
// and STRASSE are the same). CRLF and LF are the same line end, a no-break
// space is a space, and invisible characters are left out.

#ifndef COMMON_FOLD_H
#define COMMON_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

// Returns true if both texts are equal after wide trimming (text_trim_wide) and
// folding. Allocates nothing, so it cannot fail.
bool fold_same(const char *a, const char *b);

// Appends the folded form of text to out.
void fold_put(struct buf *out, const char *text, size_t len);

#endif
