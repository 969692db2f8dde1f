// shell_word: a text as one word of a shell, whatever is in it: 'it'\''s'.

#ifndef CLI_SHELL_WORD_H
#define CLI_SHELL_WORD_H

#include "common/buf.h"

void shell_word_put(const char *text, struct buf *out);

#endif
