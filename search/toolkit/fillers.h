// fillers: the questions by which the teacher completes an example of a step.
//
// Which outputs an example labels differs from row to row, and each combination
// needs a question of its own: it has the step's inputs and the known outputs
// as inputs, and asks for the rest. Questions are made when they are first
// needed.

#ifndef SEARCH_TOOLKIT_FILLERS_H
#define SEARCH_TOOLKIT_FILLERS_H

#include <stdint.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "search/toolkit/teacher.h"

struct filler;

// Zeroed means none yet.
struct fillers {
    struct filler *first; // owned
};

// Returns the question for a step whose outputs in `known` (bit f) are known.
// Borrowed from the fillers. Returns NULL when out of memory.
const struct form *fillers_get(struct fillers *fillers,
                               const struct program *program, int step,
                               uint64_t known, struct err *err);

void fillers_release(struct fillers *fillers); // accepts zeroed

#endif
