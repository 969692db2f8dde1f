// ensemble_program: builds the program of an ensemble from those of its
// members.
//
// It has the steps of each member, with the member's number, from 1, after
// their names (`classify_2`), and what they read is renamed in the same way.
// Its inputs are those of the first member. After the members' steps come:
//
//   answer_1_ ...   one for each member, its outputs as one value for the judge
//   judge           names the best of them, if a judge should choose
//   vote            the outputs that most members give, or that the judge named
//
// No step of a member has such a name, because those end in a digit.

#ifndef PROGRAM_RUN_ENSEMBLE_PROGRAM_H
#define PROGRAM_RUN_ENSEMBLE_PROGRAM_H

#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "program/run/ensemble_members.h"

enum ensemble_reduce { ENSEMBLE_MAJORITY, ENSEMBLE_JUDGE };
extern const char *const ensemble_reduce_names[]; // "majority", "judge", NULL

struct ensemble_options {
    enum ensemble_reduce reduce;
    const char *field; // the output that is voted on; NULL: the default
    size_t size;       // this many of the best-scoring members; 0: all
};

// Returns the program as a compiled file has it (program_of_json reads it), a
// new reference. Returns NULL on failure; ERR_INPUT if the programs have no
// such field.
json_t *ensemble_program_json(const struct ensemble_members *members,
                              const struct ensemble_options *options,
                              struct err *err);

// Renames a source of a member's program for the ensemble. STEP.FIELD, or the
// name of a composed value, gets the member's number, which is `member` plus 1;
// an input of the program stays. Returns a new reference; NULL when out of
// memory.
json_t *ensemble_source_json(const struct program *program, const char *source,
                             size_t member);

#endif
