// reply_value: one typed value out of what a model wrote for it.
//
// Strict first: the text is the value as a prompt shows it (value_put), or a
// JSON value that is of the type already. Then leniently, each kind counted
// (reply_leniency). Where the text may mean two values it means none: a
// problem, so that the model is asked again instead of guessed at.

#ifndef PROGRAM_PROMPT_REPLY_VALUE_H
#define PROGRAM_PROMPT_REPLY_VALUE_H

#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/type.h"
#include "program/prompt/span.h"

// New references, within the type's limits; NULL with a problem as
// reply_parse has it. text is UTF-8. *lenient gains the kinds that were used.
json_t *reply_value_text(const struct field *field, struct span text,
                         unsigned *lenient, struct err *problem);
json_t *reply_value_json(const struct field *field, const json_t *value,
                         unsigned *lenient, struct err *problem);

#endif
