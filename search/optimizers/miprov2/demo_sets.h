// demo_sets: the demo sets that a search chooses from.
//
//   0                  none
//   1                  labelled demos
//   2                  the teacher's runs on the training rows in order
//   3 ...              the same, each with its own order of the rows and a
//                      random number of demos
//   then the pools     demos nearest to the question, one set for each number
//                      of them that the job allows
//   last               the demos of the program of an earlier run, if any
//
// Without labelled demos, or without the teacher's, the other kind takes their
// place. What set i holds follows from the job, its seed and the answers.
//
// Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_MIPROV2_DEMO_SETS_H
#define SEARCH_OPTIMIZERS_MIPROV2_DEMO_SETS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/optimizers/miprov2/extent.h"
#include "search/session/session.h"
#include "search/toolkit/demo_set.h"
#include "search/toolkit/demos.h"

// Zeroed means none.
struct demo_sets {
    struct demo_set *items; // owned
    size_t n;
    struct demo_maker *maker; // owned; its runs may end late
};

// Makes as many sets as extent says and waits for the teacher's runs. Returns
// false if the job cannot continue (ERR_BUDGET included).
bool demo_sets_make(struct demo_sets *sets, struct session *session,
                    const struct extent *extent, struct err *err);

// Call once all runs of the session are done. Accepts zeroed sets.
void demo_sets_release(struct demo_sets *sets);

// Adds a set with the demos of a candidate of this program. Returns false when
// out of memory.
bool demo_sets_add(struct demo_sets *sets, const struct program *program,
                   const struct candidate *candidate, struct err *err);

#endif
