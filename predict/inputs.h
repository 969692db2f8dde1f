// inputs: checks the names under which values are passed to a program or a
// step.

#ifndef PREDICT_INPUTS_H
#define PREDICT_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/type.h"

// Returns the field of that name among n. Returns NULL with ERR_INPUT, which
// suggests the nearest valid name or lists all of them.
const struct field *inputs_find(const struct field *fields, size_t n,
                                const char *name, struct err *err);

// Checks that values is an object and that all its names are fields'.
bool inputs_check_names(const struct field *fields, size_t n,
                        const json_t *values, struct err *err);

#endif
