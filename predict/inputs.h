// inputs: the names under which values are handed to a program or a step.

#ifndef PREDICT_INPUTS_H
#define PREDICT_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/type.h"

// The field of that name among n; NULL with ERR_INPUT that tells the nearest
// right one, or all of them.
const struct field *inputs_find(const struct field *fields, size_t n,
                                const char *name, struct err *err);

// Whether values is an object whose names are all fields'.
bool inputs_check_names(const struct field *fields, size_t n,
                        const json_t *values, struct err *err);

#endif
