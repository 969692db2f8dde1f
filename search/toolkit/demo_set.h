// demo_set: a list of demos for each predictor of a program.
//
// Lists of predictors that the plan leaves out stay empty. A set owns its demos
// by reference: sets share the values of the examples that the demos came from.

#ifndef SEARCH_TOOLKIT_DEMO_SET_H
#define SEARCH_TOOLKIT_DEMO_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"

struct demo_list {
    struct demo *demos; // owned, including their fields
    size_t n;
    size_t nearest; // 0: all are shown; otherwise the demos are a pool
                    // (candidate.h)
};

struct demo_set {
    struct demo_list *lists; // owned: one per predictor of the program
    size_t n_lists;
    size_t n_traced; // demos that are the teacher's own runs
};

void demo_set_release(struct demo_set *set); // accepts a zeroed set

// Frees demos[0..n) with their fields, of which some may be NULL. Accepts NULL.
void demo_array_free(struct demo *demos, size_t n);

// Makes a set of empty lists.
bool demo_set_init(struct demo_set *set, const struct program *program,
                   struct err *err);

// Returns the number of demos in all lists.
size_t demo_set_count(const struct demo_set *set);

// Gives candidate's predictors the demos of the set, under the number no.
bool demo_set_apply(const struct demo_set *set, int no,
                    struct candidate *candidate, struct err *err);

// Returns a new candidate, sealed: the job's program with the demos of the set.
struct candidate *demo_set_candidate(const struct demo_set *set, int no,
                                     const struct session *session,
                                     struct err *err);

// Gives one predictor of the candidate the demos of a list, under the number
// no.
bool demo_list_apply(const struct demo_list *list, int no,
                     struct candidate *candidate, size_t part, struct err *err);

// Returns how many demos a prompt with this list shows.
size_t demo_list_shows(const struct demo_list *list);

// Adds a demo to a list and takes one more reference to its fields.
bool demo_list_add(struct demo_list *list, const struct demo *demo,
                   struct err *err);

#endif
