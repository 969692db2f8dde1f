// columns: what a program reads of a row, and from which key.
//
// An input or a label is found in a row under its own name, or under what its
// `from:` says: a key of the file ("Customer message"), or a path into nested
// objects ("fields.question"). If a key and a path have the same spelling, the
// key wins. Labels are the outputs of the program, and any other field of a
// step as "step.field".
//
// People write values in more than one way, so a value is converted to the type
// of its field if it can mean only one thing: a cell of a table is a text and
// becomes what its field holds, 1 is the label "1" of `enum: [0, 1]`, and a
// whole number becomes a text if a text is wanted. Whatever would need a guess
// is rejected. A label that only the metric names (`label: gold`) is compared
// with an output: "yes" becomes true if that is a bool, and the JSON of a cell
// a list. It may also be of another type, so if it cannot be converted, it
// stays.
//
// Columns are made once for a program and are then read-only.

#ifndef PROGRAM_JOB_COLUMNS_H
#define PROGRAM_JOB_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "program/job/rows.h"

struct columns;
struct metric;

// Who hears of the mistakes in a row. key says where one is (for rows_place),
// or is NULL.
struct column_faults {
    void (*add)(void *user, const char *key, const char *text);
    void *user;
};

// Every row must have the labels of the metric, which may be NULL. All
// arguments are borrowed and must outlive the columns. Returns NULL when out of
// memory.
struct columns *columns_new(const struct program *program,
                            const struct metric *metric, struct err *err);

// Creates columns for rows that are inputs to be answered. Labels in such rows
// are allowed and ignored, an input may also be under its own name, and a key
// that is neither is a mistake.
struct columns *columns_new_inputs(const struct program *program,
                                   struct err *err);
void columns_free(struct columns *columns); // accepts NULL

// Returns true if a field of that name, an input or a label, is read.
bool columns_have(const struct columns *columns, const char *name);

// Returns the keys (or paths) to look for, for rows_open.
const char *const *columns_wanted(const struct columns *columns, size_t *n);

// Reports what is wrong with the head line of a table, once instead of for
// every row. Returns true if nothing is.
bool columns_header(const struct columns *columns, const struct rows *rows,
                    const struct column_faults *faults);

// Converts the current row to what the program reads. Afterwards rows_fields
// has every input and label under its own name, with defaults filled in and in
// the type of its field. *inputs, unless inputs is NULL, has exactly the
// program's inputs, in order (a new reference). Reports every mistake. Returns
// false when out of memory.
bool columns_take(const struct columns *columns, const struct rows *rows,
                  const struct column_faults *faults, json_t **inputs,
                  struct err *err);

#endif
