// pattern: a regular expression with bounded work.
//
// Patterns are PCRE2 with UTF-8 and Unicode classes. A pattern matches anywhere
// in a text, as in a JSON schema; anchor it with ^ and $ to match the whole
// text.
//
// No pattern of a user and no text of a model can hold up a thread. One match
// may take a certain number of steps for each byte of its text, and 50,000
// more: a linear match always gets through, and one that backtracks without end
// is stopped after about a millisecond. That alone would let a file of a
// million rows take a million milliseconds, so a check of a whole file opens a
// budget: after PATTERN_BUDGET costly matches, the next one is refused.
//
// The limits count steps, not time, so the same matches are refused on every
// machine. Patterns are immutable and may be shared by threads.

#ifndef PROGRAM_SOURCE_PATTERN_H
#define PROGRAM_SOURCE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum {
    PATTERN_MAX_BYTES = 4096,
    PATTERN_BUDGET = 300, // costly matches per file
};

struct pattern;

// Compiles text. Returns NULL on failure; err (ERR_INPUT) says what is wrong
// with it and at which character.
struct pattern *pattern_new(const char *text, struct err *err);
void pattern_free(struct pattern *pattern); // accepts NULL

// Sets *matches to whether the pattern is found in text[0..len), which must be
// UTF-8. Fails with ERR_LIMIT if the pattern is too costly for this text, or if
// this thread's budget is used up.
bool pattern_matches(const struct pattern *pattern, const char *text,
                     size_t len, bool *matches, struct err *err);

// Between start and end, this thread may make PATTERN_BUDGET costly matches in
// total, over all patterns. Budgets do not nest.
void pattern_budget_start(void);
void pattern_budget_end(void);
bool pattern_budget_spent(void); // true if the budget made a match fail

#endif
