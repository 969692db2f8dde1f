// type_check: checks whether a value is of a type.
//
// The limits on data, demos and replies are always enforced here.

#ifndef PROGRAM_GRAPH_TYPE_CHECK_H
#define PROGRAM_GRAPH_TYPE_CHECK_H

#include <stdbool.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/type.h"

// Returns true if the value is of the type and within its limits. Otherwise err
// (ERR_INPUT) says why: "`confidence` is 5, above its maximum 1". Teachers are
// shown these messages, so changing one changes prompts.
bool type_check(const struct type *type, const char *name, const json_t *value,
                struct err *err);

#endif
