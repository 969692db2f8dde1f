// classes: which answers of a step are a few values that repeat, and which row
// has which.
//
// Enums and bools are. Of other types an answer is taken for a class when the
// rows repeat it often enough: a text or a number with few distinct values. A
// step may have several such fields (category, material, size), or none (a
// summary, an amount): then there is nothing to cover but the variety of the
// inputs.
//
// What a row's label says is known; where it says nothing, or the step's output
// has no label, the row has no class. Pure once made.

#ifndef SEARCH_TOOLKIT_CLASSES_H
#define SEARCH_TOOLKIT_CLASSES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "program/job/dataset.h"

enum {
    CLASSES_MAX = 200,      // values of a field that is not declared as an enum
    CLASSES_SHARE_MOST = 3, // such a field has a third as many values as rows
};

struct class_field {
    int field;        // index among the step's outputs
    const char *name; // of it; borrowed
    char **values;    // owned, as they stand in a prompt
    size_t n;
    int *of_row; // owned: by place, index of its value, or -1
};

struct classes {
    struct class_field *fields; // owned
    size_t n_fields;
    size_t n_rows;
};

void classes_release(struct classes *classes); // zeroed is fine

// Reads the classes of a step from n rows of the dataset. A row is known by its
// place among these.
bool classes_read(const struct program *program, const struct dataset *dataset,
                  int step, const size_t *rows, size_t n, struct classes *out,
                  struct err *err);

// The values of all fields together that any row has: what a demo set has to
// show.
size_t classes_count(const struct classes *classes);

// Index of a value as it stands in a prompt; -1 when it is none of them.
int classes_find(const struct class_field *field, const char *value);

#endif
