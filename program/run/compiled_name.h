// compiled_name: the words that DSPy derives from a field's name.

#ifndef PROGRAM_RUN_COMPILED_NAME_H
#define PROGRAM_RUN_COMPILED_NAME_H

#include <stdbool.h>

#include "common/buf.h"

// Appends the label that DSPy infers for a field: "user_message" gives "User
// Message:", "text2number" "Text 2 Number:", "HTMLParser" "HTML Parser:".
void compiled_prefix(const char *name, struct buf *out);

// Returns true if prefix labels the field, ignoring spaces and case. Old
// versions of DSPy put more words after the colon.
bool compiled_prefix_fits(const char *prefix, const char *name);

#endif
