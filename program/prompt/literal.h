// literal: how a number is written in the JSON that it was parsed from.
//
// A parser turns 1.10 into 1.1 and 00123 into 123. As numbers they are the
// same, but where a text was asked for, such as a version, a price or a postal
// code, they are not. So the text is searched for the number once more.

#ifndef PROGRAM_PROMPT_LITERAL_H
#define PROGRAM_PROMPT_LITERAL_H

#include <stdbool.h>

#include <jansson.h>

#include "program/prompt/span.h"

enum {
    LITERAL_MAX_TEXT = 1 << 14, // each search reads the text once or twice
    LITERAL_MAX_SEARCHES = 32,  // for one field: a list may have thousands
};

// Finds the spelling of a number in text, which has at most LITERAL_MAX_TEXT
// bytes; strings are skipped unless it occurs only in them, as in JSON that is
// itself in a string. *out is borrowed from text, and its `at` is NULL if the
// number does not occur. Returns false if it occurs in several spellings, any
// of which may be meant.
bool literal_find(struct span text, const json_t *number, struct span *out);

#endif
