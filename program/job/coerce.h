// coerce: converts a value as people write it to the type of its field.
//
// Data says 1 where a label is "1", 3.0 where a field is an integer, "yes" for
// true, and a table contains nothing but texts. A value of another type is
// converted if it can mean only one thing (docs/job-file.md lists the cases).
// Any other value is left unchanged, and type_check reports what is wrong with
// it.

#ifndef PROGRAM_JOB_COERCE_H
#define PROGRAM_JOB_COERCE_H

#include <stdbool.h>

#include <jansson.h>

#include "program/graph/type.h"

// Returns the value as a field of this type holds it; unchanged if type is
// NULL. `table` says that the value is a cell of a table, where lists and
// objects are written as JSON. New reference; NULL when out of memory.
json_t *coerce(const struct type *type, json_t *value, bool table);

// Returns a copy of an object that shares its members. New reference; NULL when
// out of memory, when json_copy would silently leave members out.
json_t *coerce_copy(json_t *object);

#endif
