// pattern: a regular expression whose work is bounded.
//
// PCRE2 with UTF-8 and Unicode classes. A pattern matches anywhere in a text,
// as in a JSON schema; anchor it with ^ and $ to match the whole. Matching is
// limited in steps and memory, so that no pattern of a user and no text of a
// model can hold up a thread. Immutable once made: threads may share it.

#ifndef PROGRAM_SOURCE_PATTERN_H
#define PROGRAM_SOURCE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum { PATTERN_MAX_BYTES = 4096 };

struct pattern;

// Compiles text. NULL on failure; err (ERR_INPUT) says what is wrong with it
// and at which character.
struct pattern *pattern_new(const char *text, struct err *err);
void pattern_free(struct pattern *pattern); // NULL is fine

// Says in *matches whether the pattern is found in text[0..len), which is
// UTF-8. Fails with ERR_LIMIT when the pattern is too costly for this text.
bool pattern_matches(const struct pattern *pattern, const char *text,
                     size_t len, bool *matches, struct err *err);

#endif
