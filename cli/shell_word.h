// shell_word: a text as one word of a shell, whatever is in it: 'it'\''s'.

#ifndef CLI_SHELL_WORD_H
#define CLI_SHELL_WORD_H

#include "common/buf.h"

void shell_word_put(const char *text, struct buf *out);

// The same for a person to copy out of a terminal: in quotes only where a shell
// would read it otherwise, and as $'...' if it has what a terminal should not
// get, such as a line end. What is copied is that word, whatever stands in it.
void shell_word_show(const char *text, struct buf *out);

#endif
