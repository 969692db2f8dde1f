// ensemble_members: which compiled programs an ensemble is made of, and that
// they go together.
//
// A compiled file has one model, one form of answer and one set of options, and
// an ensemble is a compiled file. So its members agree in the model and its
// digest, in the options that they ask it with, in the model that embeds and in
// how demos of pools are picked, where they have any, and in their inputs and
// outputs. What does not agree is refused when they are chosen: whoever has a
// struct ensemble_members may take any of it from any member.
//
// Pure, for any thread.

#ifndef PROGRAM_RUN_ENSEMBLE_MEMBERS_H
#define PROGRAM_RUN_ENSEMBLE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/run/compiled.h"

enum { ENSEMBLE_MOST = 32 };

// Borrowed, both.
struct ensemble_member {
    const char *path; // for messages
    const struct compiled *compiled;
};

struct ensemble_members {
    struct ensemble_member items[ENSEMBLE_MOST];
    size_t n; // 2 at least
};

// Chooses the `size` members with the best scores of the n given, or all where
// size is 0 or no less than n; they keep their order, which decides ties.
// ERR_INPUT: so many are none, or two of them differ, and in what.
bool ensemble_members_choose(const struct ensemble_member *given, size_t n,
                             size_t size, struct ensemble_members *out,
                             struct err *err);

// What the member scored in its search, 0 to 1; -1: its file does not say.
double ensemble_member_score(const struct ensemble_member *member);

// The program whose inputs and outputs all have: the first member's. Borrowed.
struct program *ensemble_members_first(const struct ensemble_members *members);

// The first member that searches by embeddings, or the first. Borrowed.
const struct compiled *
ensemble_members_embedder(const struct ensemble_members *members);

// How the demos of pools are picked: as the first member does that has any.
enum search_by
ensemble_members_pools_by(const struct ensemble_members *members);

// Whether any was made with a stand-in for the model.
bool ensemble_members_any_simulated(const struct ensemble_members *members);

#endif
