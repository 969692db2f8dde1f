// last_word: what is written and printed of a job that a command followed, and
// its exit status (docs/command-line.md).

#ifndef CLI_LAST_WORD_H
#define CLI_LAST_WORD_H

#include "cli/follow.h"

// Of a job with a result: writes the compiled file, and prints report or
// document. Of follow it reads options, request, out and what stands behind it;
// wrote, candidate and, for a caller that keeps it, document are set.
int last_word(struct follow *follow, const struct client_result *result);

// Of a job that is not waited for: its id.
int last_word_accepted(const struct follow *follow,
                       const struct client_result *result);

// Of a job that goes on while the client leaves, which err tells why: its id,
// and how to come back to it.
int last_word_left(const struct follow *follow,
                   const struct client_result *result, const struct err *err);

#endif
