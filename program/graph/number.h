// number: the number that a text stands for, with its sign and scale, or none.
//
// People and models write -$5.25, "about 3", 1,000 or a full-width five. A
// person reads these without doubt, and so does this code. A text that a person
// could read in two ways is not a number: 1.234,50 and 1,5 (a decimal comma?),
// (5.25) (negative?), 2.5k, 1.5 million, "less than 5", "3 or 4". A number that
// lost its sign or scale is worse than none, because it gets scored.

#ifndef PROGRAM_GRAPH_NUMBER_H
#define PROGRAM_GRAPH_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

enum { NUMBER_MAX_TEXT = 200 }; // bytes; a longer text holds no number

struct number {
    double value; // as written: 90 for "90%"
    double share; // a hundredth of value: 0.9
    bool percent;
};

// Finds the only number among the words of the text (UTF-8).
bool number_find(const char *text, size_t len, struct number *out);

// Reads a text that is nothing but a number; only a currency may accompany it.
bool number_read(const char *text, size_t len, double *out);

#endif
