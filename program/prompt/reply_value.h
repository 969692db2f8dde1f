// reply_value: reads one typed value from what a model wrote for it.
//
// Strict reading comes first: the text is the value exactly as a prompt shows
// it (value_put), or a JSON value that already has the type. Then the text is
// read leniently, and each kind of leniency is noted (reply_leniency). Text
// that may mean two values is a problem: the model is asked again rather than
// guessed at.

#ifndef PROGRAM_PROMPT_REPLY_VALUE_H
#define PROGRAM_PROMPT_REPLY_VALUE_H

#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/type.h"
#include "program/prompt/span.h"

// Return a new reference to a value within the type's limits, or NULL with a
// problem set as reply_parse does. text is UTF-8. The kinds of leniency used
// are added to *lenient. `source` is the text that a JSON value was parsed
// from.
json_t *reply_value_text(const struct field *field, struct span text,
                         unsigned *lenient, struct err *problem);
json_t *reply_value_json(const struct field *field, const json_t *value,
                         struct span source, unsigned *lenient,
                         struct err *problem);

#endif
