// type_check: whether a value is of a type.
//
// Limits are enforced on data, on demos and on replies, always here.

#ifndef PROGRAM_GRAPH_TYPE_CHECK_H
#define PROGRAM_GRAPH_TYPE_CHECK_H

#include <stdbool.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/type.h"

// True when value is of the type and within its limits; else err (ERR_INPUT)
// says why: "`confidence` is 5, above its maximum 1". These words are shown to
// teachers: to change them is to change prompts.
bool type_check(const struct type *type, const char *name, const json_t *value,
                struct err *err);

#endif
