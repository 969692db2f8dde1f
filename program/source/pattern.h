// pattern: a regular expression whose work is bounded.
//
// PCRE2 with UTF-8 and Unicode classes. A pattern matches anywhere in a text,
// as in a JSON schema; anchor it with ^ and $ to match the whole.
//
// No pattern of a user and no text of a model can hold up a thread. One match
// may take some steps for each byte of its text, and 50,000 more: a linear one
// always gets through, and one that backtracks without end is refused after
// about a millisecond. That alone would let a file of a million rows spend a
// million milliseconds, so a check of a whole file opens a budget: after
// PATTERN_BUDGET costly matches the next one is refused.
//
// What is refused is decided by counting steps, not by a clock, so it is the
// same on every machine. Immutable once made: threads may share a pattern.

#ifndef PROGRAM_SOURCE_PATTERN_H
#define PROGRAM_SOURCE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum {
    PATTERN_MAX_BYTES = 4096,
    PATTERN_BUDGET = 300, // costly matches of one file
};

struct pattern;

// Compiles text. NULL on failure; err (ERR_INPUT) says what is wrong with it
// and at which character.
struct pattern *pattern_new(const char *text, struct err *err);
void pattern_free(struct pattern *pattern); // NULL is fine

// Says in *matches whether the pattern is found in text[0..len), which is
// UTF-8. Fails with ERR_LIMIT when the pattern is too costly for this text, or
// when the budget of this thread is used up.
bool pattern_matches(const struct pattern *pattern, const char *text,
                     size_t len, bool *matches, struct err *err);

// From start to end this thread may make PATTERN_BUDGET costly matches, of
// whichever patterns. Budgets do not nest.
void pattern_budget_start(void);
void pattern_budget_end(void);
bool pattern_budget_spent(void); // a match was refused for it

#endif
