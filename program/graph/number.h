// number: the number that a text stands for, with its sign and scale, or none.
//
// People and models write -$5.25, "about 3", 1,000 or a full-width five. A
// person reads these without doubt, and so does this. What a person could read
// in two ways is no number: 1.234,50 and 1,5 (a comma for a point?), (5.25)
// (less than nothing?), 2.5k, 1.5 million, "less than 5", "3 or 4". A number
// that lost its sign or scale is worse than none: it is scored.

#ifndef PROGRAM_GRAPH_NUMBER_H
#define PROGRAM_GRAPH_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

enum { NUMBER_MAX_TEXT = 200 }; // bytes; longer texts hold no number

struct number {
    double value; // of what stands there: 90 for "90%"
    double share; // a hundredth of it: 0.9
    bool percent;
};

// The one number among the words of text (UTF-8).
bool number_find(const char *text, size_t len, struct number *out);

// All of text is a number; nothing but a currency may stand next to it.
bool number_read(const char *text, size_t len, double *out);

#endif
