// json_mend: JSON as models write it, read where a person would not hesitate.
//
// Python and JavaScript instead of JSON ('single quotes', True, None, keys
// without quotes), comments, a comma too many or, between lines, too few, line
// ends and quotes inside of a string, typographic quotes, a number such as 03,
// and closing brackets missing at the end of the text. A string that does not
// end, a key twice with two values, or anything else that may have been meant
// otherwise is no JSON. Time grows with the length of the text, and nothing is
// nested deeper than MEND_MAX_DEPTH.

#ifndef PROGRAM_PROMPT_JSON_MEND_H
#define PROGRAM_PROMPT_JSON_MEND_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"

enum { MEND_MAX_DEPTH = 64 };

// The object or list that text (UTF-8) begins with: a new reference, and its
// bytes in *used. words: strings may be without quotes, as in [apple, pear].
// NULL when it cannot be read, or, with problem set, without memory.
json_t *json_mend(const char *text, size_t len, bool words, size_t *used,
                  struct err *problem);

#endif
