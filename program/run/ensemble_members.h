// ensemble_members: chooses the compiled programs of an ensemble and checks
// that they fit together.
//
// A compiled file has one model, one form of answer and one set of options, and
// an ensemble is a compiled file. So its members must agree in the model and
// its digest, in the options that they ask it with, in the embedding model and
// in how demos of pools are picked (if they use either), and in their inputs
// and outputs. Members that differ are refused when they are chosen, so that
// code with a struct ensemble_members can take any of this from any member.
//
// Pure; may be called from any thread.

#ifndef PROGRAM_RUN_ENSEMBLE_MEMBERS_H
#define PROGRAM_RUN_ENSEMBLE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/run/compiled.h"

enum { ENSEMBLE_MAX_MEMBERS = 32 };

// Both are borrowed.
struct ensemble_member {
    const char *path; // for messages
    const struct compiled *compiled;
};

struct ensemble_members {
    struct ensemble_member items[ENSEMBLE_MAX_MEMBERS];
    size_t n; // at least 2
};

// Chooses the `size` best-scoring members of the n given, or all of them if
// size is 0 or at least n. They keep their order, which decides ties. ERR_INPUT
// if the number is out of range, or if two members differ; the message says in
// what.
bool ensemble_members_choose(const struct ensemble_member *given, size_t n,
                             size_t size, struct ensemble_members *out,
                             struct err *err);

// Returns what the member scored in its search, 0 to 1; -1 if its file does not
// say.
double ensemble_member_score(const struct ensemble_member *member);

// Returns the first member's program, whose inputs and outputs all members
// share. Borrowed.
struct program *ensemble_members_first(const struct ensemble_members *members);

// Returns the first member that searches by embeddings, else the first.
// Borrowed.
const struct compiled *
ensemble_members_embedder(const struct ensemble_members *members);

// Returns how the demos of pools are picked: like the first member that has
// any.
enum search_by
ensemble_members_pools_by(const struct ensemble_members *members);

// Returns true if the model of any member was simulated.
bool ensemble_members_any_simulated(const struct ensemble_members *members);

#endif
