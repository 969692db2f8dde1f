// demo_sets: the demo sets that a search chooses among.
//
//   0                  none
//   1                  labelled demos
//   2                  the teacher's runs on the training rows in their order
//   3 ...              the same in an order of its own each, and of a number
//                      that chance picks
//   then the pools     demos picked by what is nearest to the question, one set
//                      for each number of them that the job allows
//   last               those of the program of an earlier run, if there is one
//
// Without labelled demos or without the teacher's the other kind takes the
// place. What set i holds follows from the job, its seed and the answers.
//
// For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_MIPROV2_DEMO_SETS_H
#define SEARCH_OPTIMIZERS_MIPROV2_DEMO_SETS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/miprov2/extent.h"
#include "search/session/session.h"
#include "search/toolkit/demo_set.h"
#include "search/toolkit/demos.h"

// Zeroed is none.
struct demo_sets {
    struct demo_set *items; // owned
    size_t n;
    struct demo_maker *maker; // owned; runs that it asked for may end late
};

// Makes them, as many as extent says, and waits for the teacher's runs. False
// when the job cannot go on (ERR_BUDGET included).
bool demo_sets_make(struct demo_sets *sets, struct session *session,
                    const struct extent *extent, struct err *err);

// Once all runs of the session are done. Zeroed is fine.
void demo_sets_release(struct demo_sets *sets);

// Adds one with the demos of a candidate of this program. False without memory.
bool demo_sets_add(struct demo_sets *sets, const struct program *program,
                   const struct candidate *candidate, struct err *err);

#endif
