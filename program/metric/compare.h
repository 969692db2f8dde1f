// compare: decides when an answer is the right one.

#ifndef PROGRAM_METRIC_COMPARE_H
#define PROGRAM_METRIC_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

// Texts are equal after trimming and case folding. Numbers are equal by value,
// even when one is written as a text. Lists and objects are compared part by
// part. null, NULL and a missing member are equal to each other and to nothing
// else.
bool values_same(const json_t *a, const json_t *b);

// Reads a value as a number: a JSON number, or a text that holds only a number
// (also "1,250.5", with commas between thousands).
bool value_number(const json_t *value, double *out);

#endif
