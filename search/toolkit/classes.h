// classes: which outputs of a step take a few repeated values, and which row
// has which value.
//
// Enums and bools always do. An output of another type counts as a class if the
// rows repeat its values often enough: a text or a number with few distinct
// values. A step may have several such fields (category, material, size), or
// none (a summary, an amount). If it has none, demos can only cover the variety
// of the inputs.
//
// Only labels are read: a row without a label, or a step without a labelled
// output, has no class. Pure once made.

#ifndef SEARCH_TOOLKIT_CLASSES_H
#define SEARCH_TOOLKIT_CLASSES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "program/job/dataset.h"
#include "search/session/row_span.h"

enum {
    CLASSES_MAX = 200,      // values of a field that is not declared as an enum
    CLASSES_SHARE_MOST = 3, // such a field has at most a third as many values
                            // as labelled rows
};

struct class_field {
    int field;        // index among the step's outputs
    const char *name; // the field's; borrowed
    char **values;    // owned, as they appear in a prompt
    size_t n;
    int *of_row; // owned: by place, the index of its value, or -1
};

struct classes {
    struct class_field *fields; // owned
    size_t n_fields;
    size_t n_rows;
};

void classes_release(struct classes *classes); // accepts a zeroed struct

// Reads the classes of a step from rows of the dataset. A row is identified
// by its place among these.
bool classes_read(const struct program *program, const struct dataset *dataset,
                  int step, struct row_span rows, struct classes *out,
                  struct err *err);

// Returns how many values occur in the rows, over all fields: what a demo set
// has to show.
size_t classes_count(const struct classes *classes);

// Returns the index of a value as it appears in a prompt, or -1.
int classes_find(const struct class_field *field, const char *value);

#endif
