// reply_json: finds the JSON value that a reply means, alone or in other text.
//
// Strict JSON is tried before JSON that has to be mended (json_mend.h), and the
// text as a whole before parts of it. The caller says which values can be
// meant, so that the bracket in "see [1]" is not taken for a list. If two
// different values can be meant, the result is none.

#ifndef PROGRAM_PROMPT_REPLY_JSON_H
#define PROGRAM_PROMPT_REPLY_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/prompt/span.h"

enum { REPLY_MAX_JSON = 8 << 20 };

// The JSON to look for: a value that begins with `open` ('{' or '[') and for
// which `fits` returns true.
struct reply_wanted {
    char open;
    bool words; // if the value is the whole text, its strings need no quotes
    bool (*fits)(const struct reply_wanted *wanted, const json_t *value);
    const void *user;
};

// Returns the JSON value that text is or contains, as a new reference. Returns
// NULL if nothing fits, if two different values fit, or, with problem set, when
// out of memory.
json_t *reply_find_json(const struct reply_wanted *wanted, struct span text,
                        unsigned *lenient, struct err *problem);

// Returns the text between ``` lines, or all of it if there are none.
struct span reply_strip_fence(struct span text);

// Reads all of text as one strict JSON value, whatever it is. Returns like
// reply_find_json.
json_t *reply_whole_json(struct span text, struct err *problem);

#endif
