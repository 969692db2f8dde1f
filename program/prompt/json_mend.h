// json_mend: reads JSON as models write it, where a person would not hesitate.
//
// It accepts Python and JavaScript in place of JSON ('single quotes', True,
// None, keys without quotes), comments, an extra comma or, between lines, a
// missing one, newlines and quotes inside a string, typographic quotes, numbers
// such as 03, and closing brackets missing at the end of the text. It refuses a
// string that does not end, a key that has two different values, and anything
// else that could have been meant differently. Time is linear in the length of
// the text, and nesting is limited to MEND_MAX_DEPTH.

#ifndef PROGRAM_PROMPT_JSON_MEND_H
#define PROGRAM_PROMPT_JSON_MEND_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"

enum { MEND_MAX_DEPTH = 64 };

// Reads the object or list that text (UTF-8) begins with. Returns a new
// reference and stores the number of bytes read in *used. With `words`, strings
// may lack their quotes, as in [apple, pear]. Returns NULL if the text cannot
// be read or, with problem set, when out of memory.
json_t *json_mend(const char *text, size_t len, bool words, size_t *used,
                  struct err *problem);

#endif
