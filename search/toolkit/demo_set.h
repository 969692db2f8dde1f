// demo_set: a list of demos for each predictor of a program.
//
// Lists of predictors that the plan leaves out stay empty. A set owns its
// demos by reference: sets share the values of the examples they came from.

#ifndef SEARCH_TOOLKIT_DEMO_SET_H
#define SEARCH_TOOLKIT_DEMO_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"

struct demo_list {
    struct demo *demos; // owned, fields too
    size_t n;
    size_t nearest; // 0: all are shown; else they are a pool (candidate.h)
};

struct demo_set {
    struct demo_list *lists; // owned: one a predictor of the program
    size_t n_lists;
    size_t n_traced; // demos in them that are the teacher's own runs
};

void demo_set_release(struct demo_set *set); // zeroed is fine

// A set of empty lists.
bool demo_set_init(struct demo_set *set, const struct program *program,
                   struct err *err);

// Demos over all lists.
size_t demo_set_count(const struct demo_set *set);

// Gives candidate's predictors the demos of set, named no.
bool demo_set_apply(const struct demo_set *set, int no,
                    struct candidate *candidate, struct err *err);

// The job's program with the demos of set: a new candidate, sealed.
struct candidate *demo_set_candidate(const struct demo_set *set, int no,
                                     const struct session *session,
                                     struct err *err);

// Gives that predictor of the candidate the demos of a list, named no.
bool demo_list_apply(const struct demo_list *list, int no,
                     struct candidate *candidate, size_t part, struct err *err);

// How many demos a prompt with the list shows.
size_t demo_list_shows(const struct demo_list *list);

// Adds a demo to a list; its fields become one more reference.
bool demo_list_add(struct demo_list *list, const struct demo *demo,
                   struct err *err);

#endif
