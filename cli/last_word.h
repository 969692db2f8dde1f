// last_word: what is written and printed about a job that a command followed,
// and its exit status (docs/command-line.md).

#ifndef CLI_LAST_WORD_H
#define CLI_LAST_WORD_H

#include "cli/follow.h"

// For a job with a result: writes the compiled file, and prints the report or
// the document. Sets the outcome of `follow`.
int last_word(struct follow *follow, const struct client_result *result);

// For a job that is not waited for: prints its id.
int last_word_accepted(const struct follow *follow,
                       const struct client_result *result);

// For a job that continues although the client leaves, for the reason in err:
// prints its id, and how to come back to it.
int last_word_left(const struct follow *follow,
                   const struct client_result *result, const struct err *err);

#endif
