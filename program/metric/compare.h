// compare: when an answer is the right one.

#ifndef PROGRAM_METRIC_COMPARE_H
#define PROGRAM_METRIC_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

// Texts are equal after trimming and case folding, numbers by value (also a
// number and a text that is one), lists and objects part by part. null, and
// nothing (NULL, or a member that is missing), equals only null.
bool values_same(const json_t *a, const json_t *b);

// The number that a value is: a JSON number, or a text that holds one and
// nothing else ("1,250.5" too, with commas between thousands).
bool value_number(const json_t *value, double *out);

#endif
