// fold: comparing texts as a reader does, without case or accents' encoding.
//
// Folding composes characters (NFC: an e and an accent are an e with an accent)
// and takes their case away (Unicode's full case folding, by utf8proc: Straße
// and STRASSE are the same). A line end is one whether it is written CRLF or
// LF, a space that breaks no line is a space, and what shows as nothing is left
// out.

#ifndef COMMON_FOLD_H
#define COMMON_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

// Equal after wide trimming (text_trim_wide) and folding. Allocates nothing, so
// it cannot fail.
bool fold_same(const char *a, const char *b);

// Appends the folded form of text to out.
void fold_put(struct buf *out, const char *text, size_t len);

#endif
