// marker: reads what a line says about the fields of an answer.
//
// [[ ## title ## ]] is the form that was asked for. Models write it with
// different spaces, case, emphasis or only some of the brackets, or write a
// label instead, such as "Title: x" or "### Title". A marker borrows the text
// that it was read from.

#ifndef PROGRAM_PROMPT_MARKER_H
#define PROGRAM_PROMPT_MARKER_H

#include <stdbool.h>
#include <stddef.h>

#include "program/graph/program.h"
#include "program/prompt/span.h"

enum { FIELD_NONE = -1, FIELD_OTHER = -2, FIELD_END = -3 };

// A field's name and brackets in the text: [[ ## name ## ]].
struct marker {
    int field;        // the output's index, or FIELD_...
    struct span rest; // of its line, after the marker
    bool strict;
    bool inside; // its line has other text before it
    bool quoted; // "name": its value is written as in JSON
    const char *at;
};

#define MARKER_OPEN "[[ ## "
#define MARKER_CLOSE " ## ]]"

// Looks up a field by name: exactly, then ignoring case and gaps. Returns the
// output's index, FIELD_OTHER for an input, FIELD_END, or FIELD_NONE, which
// also means that several outputs match.
int marker_field(const struct signature *signature, struct span name);

// Compares names, ignoring case and taking spaces, dashes and underscores as
// equal.
bool marker_same_name(struct span span, const char *name);

// Returns how many bytes at the start of text can be a name.
size_t marker_name_len(struct span text);

// Returns true and fills out if line begins with this form of marker.
typedef bool marker_read_fn(const struct signature *signature, struct span line,
                            struct marker *out);

// Reads the exact form that was asked for, whatever follows it. A name that no
// field has makes it the marker of another section (FIELD_OTHER).
marker_read_fn marker_read_exact;

// Reads a marker with any spaces, case, emphasis or only some of the brackets.
marker_read_fn marker_read;

// Reads "Name: value", "1. **Name**: value", and "### Name" or "**Name**" on
// its own line, for replies without markers.
marker_read_fn marker_read_label;

#endif
