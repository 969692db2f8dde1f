// columns_state: what the files about columns share. columns.c makes them,
// columns_take.c converts a row by them, and columns_header.c checks the head
// line of a table.

#ifndef PROGRAM_JOB_COLUMNS_STATE_H
#define PROGRAM_JOB_COLUMNS_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "program/graph/program.h"
#include "program/job/columns.h"

// Room for a path, or for one key of it. Longer ones are not found.
enum { COLUMN_KEY_BYTES = 256 };

struct column {
    const char *name;
    const char *from;          // the row's key or path
    const struct type *type;   // NULL: anything
    const struct type *like;   // of what it is compared with; NULL: nothing
    const struct field *input; // NULL: a label
    bool needed;
    bool may_be_null; // a label of a step that may be left out
};

struct columns {
    struct arena arena;
    const struct program *program;
    bool only_inputs;
    struct column *items;
    size_t n;
    const char **wanted; // the `from` of each that is read; n_wanted
    size_t n_wanted;
};

// Returns the column of an input or a label; NULL: there is none.
struct column *columns_find(const struct columns *columns, const char *name);

// Returns true if a key of a row is a column, or the beginning of a path to
// one.
bool columns_know(const struct columns *columns, const char *key);

#endif
