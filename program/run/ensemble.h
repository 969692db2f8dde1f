// ensemble: several compiled programs as one, in a compiled file.
//
// The steps of all members form one program, in which `classify` of the second
// member becomes `classify_2`. A last step, `vote`, takes the answer that most
// members give (program/graph/kinds/vote.c). So whatever runs a compiled file
// also runs an ensemble, and nothing else needs to know about it:
//
//   A.json   classify                         classify_1 --+
//   B.json   classify        -->              classify_2 --+--> vote --> intent
//   C.json   classify                         classify_3 --+
//
// If a judge should choose, a step `judge` before the vote sees all answers and
// names the best one. If it names none, the votes decide.
//
// Members that do not fit together are refused (ensemble_members.h). How their
// steps become one program is described in ensemble_program.h.

#ifndef PROGRAM_RUN_ENSEMBLE_H
#define PROGRAM_RUN_ENSEMBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/run/compiled.h"
#include "program/run/ensemble_members.h"
#include "program/run/ensemble_program.h"

// Appends the file of 2 or more members. Their order decides ties. ERR_INPUT if
// they do not fit together; the message says why.
bool ensemble_write(const struct ensemble_member *members, size_t n,
                    const struct ensemble_options *options, struct buf *out,
                    struct err *err);

// Returns true if the file is an ensemble.
bool ensemble_is(const struct compiled *compiled);

#endif
