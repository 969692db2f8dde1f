// shell_word: quotes any text as one word of a shell: 'it'\''s'.

#ifndef COMMON_SHELL_WORD_H
#define COMMON_SHELL_WORD_H

#include "common/buf.h"

void shell_word_put(const char *text, struct buf *out);

// Like shell_word_put, for a person to copy from a terminal: uses quotes only
// where a shell needs them, and $'...' if the text contains anything that a
// terminal should not get, such as a line end. What is copied is always that
// one word, whatever it contains.
void shell_word_show(const char *text, struct buf *out);

#endif
