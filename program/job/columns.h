// columns: what a program reads of a row, and from which key.
//
// An input, or a label, stands in a row under its own name, or under what its
// `from:` says: a key as the file has it ("Customer message"), or a path into
// nested objects ("fields.question"). A key that is there wins over a path of
// the same letters. Labels are the outputs of the program, and any other field
// of a step as "step.field".
//
// People write values in more than one way, so what a field can hold is read
// from what stands there, where there is only one thing it can mean: a cell of
// a table is a text and becomes what its field holds; 1 is the label "1" of
// `enum: [0, 1]`; a whole number is a text where a text is asked for. Whatever
// is left to guess is refused.
//
// Made once for a program, then read-only.

#ifndef PROGRAM_JOB_COLUMNS_H
#define PROGRAM_JOB_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "program/job/rows.h"

struct columns;

// Tells a mistake of a row. key is where it stands (for rows_place), or NULL.
typedef void columns_fault_fn(void *user, const char *key, const char *text);

// labels[0..n_labels): those that every row must have. All is borrowed and
// outlives the columns. NULL without memory.
struct columns *columns_new(const struct program *program,
                            const char *const *labels, size_t n_labels,
                            struct err *err);

// For rows that are inputs to be answered: labels in them are allowed and
// ignored, an input may also be under its own name, and a key that is neither
// is a mistake.
struct columns *columns_new_inputs(const struct program *program,
                                   struct err *err);
void columns_free(struct columns *columns); // NULL is fine

// Whether a field of that name, an input or a label, is read.
bool columns_have(const struct columns *columns, const char *name);

// The keys (or paths) to look for, for rows_open.
const char *const *columns_wanted(const struct columns *columns, size_t *n);

// What is wrong with the head line of a table, told once instead of with every
// row. True when nothing is.
bool columns_header(const struct columns *columns, const struct rows *rows,
                    columns_fault_fn *fault, void *user);

// Turns the row at hand into what the program reads: rows_fields then has
// every input and label under its own name, defaults filled, in the type of
// its field; *inputs, unless inputs is NULL, has exactly the program's inputs,
// in order (a new reference). Every mistake is reported. False without memory.
bool columns_take(const struct columns *columns, const struct rows *rows,
                  columns_fault_fn *fault, void *user, json_t **inputs,
                  struct err *err);

#endif
