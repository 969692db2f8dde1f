// tunable: a value of the program that an optimizer may choose, beside
// instructions and demos.
//
//   temperature   0, 0.7         a setting of the job (settings.h)
//   search.k      3, 5, 8        a value of a step whose kind says it may be
//                                tuned (kind.h)
//   demos.count   2, 4, 8        how many demos each step shows at most
//
// A job has the list of its tunables, and each stands at its default until
// somebody chooses. To search them, an optimizer makes each a dimension of its
// space, as it does with instructions, and gives the choice to a candidate
// before that is sealed:
//
//   n = tunables_searched(&job->tunables, session_plan(session), list)
//   for each tunable t:  tunable_set(t, candidate, choice_of[t], err)
//   candidate_seal(candidate)
//
// What a candidate says of them is part of its id, stands in the compiled file
// and in the history (candidate_tuned). At the default it says nothing, so a
// candidate with all of them at their defaults is the same as one that was
// never told.

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
    TUNABLE_MAX_DEMOS = 1000, // of `demos.count`
};

struct tunable {
    const char *name;       // "temperature", "search.k", "demos.count"
    int step;               // whose value it is, or -1
    const char *key;        // of the step
    bool counts_demos;      // demos.count
    const json_t **choices; // all different; owned, the array is an arena's
    size_t n_choices;       // 1 or more
    size_t otherwise;       // which is the default
    struct place place;
};

struct tunables {
    struct tunable items[TUNABLES_MAX];
    size_t n;
};

// NULL: there is none of that name.
const struct tunable *tunables_find(const struct tunables *tunables,
                                    const char *name);

// Fills out with those that an optimizer searches because they can change an
// answer: they have two choices or more, and their step is not left out by the
// plan. Returns how many.
struct plan;
size_t tunables_searched(const struct tunables *tunables,
                         const struct plan *plan,
                         const struct tunable *out[TUNABLES_MAX]);
void tunables_release(struct tunables *tunables); // zeroed is fine

// The nth choice where the default goes first and the others keep their order.
size_t tunable_nth(const struct tunable *tunable, size_t n);

// Gives an unsealed candidate one of the choices. A number of demos drops the
// rest from the end of each step's list, so set it after the demos.
bool tunable_set(const struct tunable *tunable, struct candidate *candidate,
                 size_t choice, struct err *err);

// The index of the choice that a candidate has. For the number of demos it is
// the smallest choice that none of its lists of demos exceeds.
size_t tunable_get(const struct tunable *tunable,
                   const struct candidate *candidate);

#endif
