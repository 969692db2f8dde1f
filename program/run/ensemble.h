// ensemble: several compiled programs as one, in a compiled file of its own.
//
// The steps of all members stand in one program, `classify` of the second one
// as `classify_2`, and a last step, `vote`, takes the answer that most of them
// give (program/graph/kinds/vote.c). So whatever runs a compiled file runs an
// ensemble, and nothing else knows of it:
//
//   A.json   classify                         classify_1 --+
//   B.json   classify        -->              classify_2 --+--> vote --> intent
//   C.json   classify                         classify_3 --+
//
// Where a judge is to choose, a step `judge` before it sees all answers and
// names the best; the votes count where it names none.
//
// A compiled file has one model, one form of answer and one set of options, so
// members that differ in these are refused, as are members that take other
// inputs or give other outputs.

#ifndef PROGRAM_RUN_ENSEMBLE_H
#define PROGRAM_RUN_ENSEMBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/run/compiled.h"

enum { ENSEMBLE_MOST = 32 };

enum ensemble_reduce { ENSEMBLE_MAJORITY, ENSEMBLE_JUDGE };
extern const char *const ensemble_reduce_names[]; // "majority", "judge", NULL

struct ensemble_member {
    const char *path; // for messages
    const struct compiled *compiled;
};

struct ensemble_options {
    enum ensemble_reduce reduce;
    const char *field; // the output that is voted on; NULL: the usual one
    size_t size; // so many of the members with the best scores; 0: all of them
};

// Appends the file of 2 members or more, in their order, which decides ties.
// ERR_INPUT: they do not go together, and how.
bool ensemble_write(const struct ensemble_member *members, size_t n,
                    const struct ensemble_options *options, struct buf *out,
                    struct err *err);

// Whether the file is one.
bool ensemble_is(const struct compiled *compiled);

#endif
