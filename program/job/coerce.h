// coerce: a value as people write it, made what its field holds.
//
// Data says 1 where a label is "1", 3.0 where a field is whole, "yes" for true,
// and a table has nothing but texts. A value of another type is taken when it
// can mean one thing only (docs/job-file.md lists what); any other stays as it
// is, and type_check says what is wrong with it.

#ifndef PROGRAM_JOB_COERCE_H
#define PROGRAM_JOB_COERCE_H

#include <stdbool.h>

#include <jansson.h>

#include "program/graph/type.h"

// The value as a field of the type holds it; type NULL: as it is. table: it is
// a cell, where lists and objects are written as JSON. New reference; NULL
// without memory.
json_t *coerce(const struct type *type, json_t *value, bool table);

// A copy of an object that shares its members (new reference). NULL without
// memory, where json_copy leaves members out.
json_t *coerce_copy(json_t *object);

#endif
