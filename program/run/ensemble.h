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
// Members that do not go together are refused (ensemble_members.h). How their
// steps become one program is told in ensemble_program.h.

#ifndef PROGRAM_RUN_ENSEMBLE_H
#define PROGRAM_RUN_ENSEMBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/run/compiled.h"
#include "program/run/ensemble_members.h"
#include "program/run/ensemble_program.h"

// Appends the file of 2 members or more, in their order, which decides ties.
// ERR_INPUT: they do not go together, and how.
bool ensemble_write(const struct ensemble_member *members, size_t n,
                    const struct ensemble_options *options, struct buf *out,
                    struct err *err);

// Whether the file is one.
bool ensemble_is(const struct compiled *compiled);

#endif
