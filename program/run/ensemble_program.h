// ensemble_program: the program that an ensemble is, put together from those of
// its members.
//
// The steps of member m stand in it with m's number behind their names, from 1
// (`classify_2`), and what they read is renamed likewise; the inputs are those
// of the first member. Behind them come
//
//   answer_1_ ...   one for each member, its outputs as a value: for the judge
//   judge           names the best of them, where a judge is to choose
//   vote            the outputs that most members give, or that the judge named
//
// No step of a member has such a name, since those end in a digit.

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
    const char *field; // the output that is voted on; NULL: the usual one
    size_t size; // so many of the members with the best scores; 0: all of them
};

// The program as a compiled file has it (program_of_json reads it). A new
// reference; NULL on failure, ERR_INPUT where the programs have no such field.
json_t *ensemble_program_json(const struct ensemble_members *members,
                              const struct ensemble_options *options,
                              struct err *err);

// A source of a member's program as the ensemble has it: STEP.FIELD, or the
// name of a composed value, gets the number of the member (its place, from 0,
// and one); an input of the program stays. A new reference; NULL without
// memory.
json_t *ensemble_source_json(const struct program *program, const char *source,
                             size_t member);

#endif
