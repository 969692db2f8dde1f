// reply_json: the JSON value that a reply means, alone or among other words.
//
// Strict JSON is looked for before JSON that has to be mended (json_mend.h),
// and a value that is the whole text before one that is a part of it. The
// caller says which values can be meant: the bracket in "see [1]" is none. If
// two different values can be meant, there is no value.

#ifndef PROGRAM_PROMPT_REPLY_JSON_H
#define PROGRAM_PROMPT_REPLY_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/prompt/span.h"

enum { REPLY_MAX_JSON = 8 << 20 };

// What JSON is looked for: a value that begins with `open` ('{' or '[') and for
// which `fits` is true.
struct reply_wanted {
    char open;
    bool words; // strings may lack their quotes where the text is nothing else
    bool (*fits)(const struct reply_wanted *wanted, const json_t *value);
    const void *user;
};

// The JSON value that text is, or has among other words: a new reference. NULL
// when there is none, when two that differ fit, or, with problem set, without
// memory.
json_t *reply_find_json(const struct reply_wanted *wanted, struct span text,
                        unsigned *lenient, struct err *problem);

// The text between ``` lines; all of it where it has none.
struct span reply_strip_fence(struct span text);

// The value that all of text is, strictly: as reply_find_json without a fit.
json_t *reply_whole_json(struct span text, struct err *problem);

#endif
