// value: when two values of fields are the same.
//
// Pure.

#ifndef PROGRAM_GRAPH_VALUE_H
#define PROGRAM_GRAPH_VALUE_H

#include <stdbool.h>

#include <jansson.h>

// Numbers are equal by value, also within lists and objects: one model writes 5
// where another writes 5.0. Everything else is equal as JSON is.
bool value_equal(const json_t *a, const json_t *b);

#endif
