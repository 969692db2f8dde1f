// tunable: a value of the program that an optimizer may choose, besides
// instructions and demos.
//
//   temperature   0, 0.7         a setting of the job (settings.h)
//   search.k      3, 5, 8        a value of a step whose kind says it may be
//                                tuned (kind.h)
//   demos.count   2, 4, 8        the maximum number of demos each step shows
//
// A job has a list of its tunables, and each has its default value until an
// optimizer chooses another. To search them, an optimizer makes each a
// dimension of its space, as it does with instructions, and gives its choice to
// a candidate before sealing it:
//
//   n = tunables_searched(&job->tunables, session_plan(session), list)
//   for each tunable t:  tunable_set(t, candidate, choice_of[t], err)
//   candidate_seal(candidate)
//
// The values that a candidate sets are part of its id, and appear in the
// compiled file and in the history (candidate_tuned). A default is not
// recorded, so a candidate whose tunables were all set to their defaults equals
// one whose tunables were never set.

#ifndef PROGRAM_GRAPH_TUNABLE_H
#define PROGRAM_GRAPH_TUNABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "program/source/diag.h"

enum {
    TUNABLES_MAX = 32,
    TUNABLE_MAX_CHOICES = 32,
    TUNABLE_MAX_DEMOS = 1000, // limit for `demos.count`
};

struct tunable {
    const char *name;       // "temperature", "search.k", "demos.count"
    int step;               // whose value it is; -1: not a step's
    const char *key;        // of the step
    bool counts_demos;      // demos.count
    const json_t **choices; // all different; owned, in an array of an arena
    size_t n_choices;       // 1 or more
    size_t default_index;   // index of the default
    struct place place;
};

struct tunables {
    struct tunable items[TUNABLES_MAX];
    size_t n;
};

// Returns the tunable of that name; NULL when there is none.
const struct tunable *tunables_find(const struct tunables *tunables,
                                    const char *name);

// Fills `out` with the tunables that an optimizer searches because they can
// change an answer: they have two or more choices, and the plan does not leave
// out their step. Returns how many there are.
struct plan;
size_t tunables_searched(const struct tunables *tunables,
                         const struct plan *plan,
                         const struct tunable *out[TUNABLES_MAX]);
void tunables_release(struct tunables *tunables); // accepts a zeroed struct

// Returns the index of the nth choice, counting the default first and then the
// others in their order.
size_t tunable_nth(const struct tunable *tunable, size_t n);
// The reverse: returns the n of the choice with that index.
size_t tunable_place(const struct tunable *tunable, size_t choice);

// Gives an unsealed candidate one of the choices. A number of demos cuts off
// the end of each step's list, so set it after the demos.
bool tunable_set(const struct tunable *tunable, struct candidate *candidate,
                 size_t choice, struct err *err);

// Returns the index of the candidate's choice. For the number of demos, this is
// the smallest choice that none of its lists of demos exceeds, or the largest
// choice if some list exceeds all of them.
size_t tunable_get(const struct tunable *tunable,
                   const struct candidate *candidate);

#endif
