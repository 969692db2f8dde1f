// marker: what a line says about the fields of an answer.
//
// [[ ## title ## ]] is the form that was asked for. Models write it with other
// spaces, case, emphasis or part of the brackets, or write a label instead,
// such as "Title: x" or "### Title". A marker borrows the text that it is read
// from.

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
    struct span rest; // of its line
    bool strict;
    bool inside; // of a line, behind other text
    bool quoted; // "name": what follows is written as in JSON
    const char *at;
};

#define MARKER_OPEN "[[ ## "
#define MARKER_CLOSE " ## ]]"

// The field of that name, case and gaps aside where none has it exactly: the
// output's index, FIELD_OTHER for an input, FIELD_END, or FIELD_NONE, also
// where several names are the same.
int marker_field(const struct signature *signature, struct span name);

// Equal apart from case, and from spaces and dashes for underscores.
bool marker_same_name(struct span span, const char *name);

// How many of text's first bytes may be a name.
size_t marker_name_len(struct span text);

// True when line begins with what is read; then out is filled.
typedef bool marker_read_fn(const struct signature *signature, struct span line,
                            struct marker *out);

// The exact form that was asked for, whatever is behind it. A name that is no
// field's is one of another section all the same.
marker_read_fn marker_read_exact;

// A marker with any spaces, case, emphasis or part of the brackets.
marker_read_fn marker_read;

// "Name: value", "1. **Name**: value", and "### Name" or "**Name**" on a line
// of its own: where no marker is used.
marker_read_fn marker_read_label;

#endif
