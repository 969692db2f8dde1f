// space: the search space: the instructions and the demo sets that a step may
// get.
//
// Choice 0 of each predictor is what the program has: its instruction as
// written, and no demos. Whatever is added is kept for good and keeps its
// number, so that what was learned about it stays true. Adding a text or a set
// that is already in the space returns its number, so no call is spent on it
// twice.
//
// A combination has both choices for each predictor, in order, then a choice
// for each tunable that is searched (0 is its default):
//
//   {instruction, demos, instruction, demos, ..., temperature, ...}

#ifndef SEARCH_TOOLKIT_SPACE_H
#define SEARCH_TOOLKIT_SPACE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "program/graph/tunable.h"
#include "search/session/session.h"
#include "search/toolkit/demo_set.h"

enum {
    SPACE_ORPHAN = -1,   // not made from anything in the space
    SPACE_SAYINGS = 300, // per part; further ones are dropped
};

struct space_text {
    char *text;       // owned
    const char *kind; // its origin, for people; static
    int parent;       // number of the text that it was made from
    bool share;       // a share of a text: part of what the teacher said there
};

struct space_demos {
    struct demo_list list; // owned
    const char *kind;
    int parent;
};

struct space_part {
    struct space_text *texts; // owned, like the sets
    size_t n_texts;
    struct space_demos *sets;
    size_t n_sets;
    char **sayings; // owned: sentences that the teacher added to a text, each
                    // once; other texts may hold them too
    size_t n_sayings;
};

struct space {
    struct session *session;  // borrowed
    struct space_part *parts; // owned: one per predictor
    size_t n_parts;
    const struct tunable *tunables[TUNABLES_MAX]; // borrowed
    size_t n_tunables;
    size_t n_choices; // per combination
};

// Starts with the program as written: for each part, its instruction and no
// demos. Borrows session. Returns false when out of memory; release the space
// in any case.
bool space_init(struct space *space, struct session *session, struct err *err);
void space_release(struct space *space); // accepts a zeroed space

// Adds a text or a set of demos. *number is the number of what was added, or of
// an equal one already in the space; number may be NULL. The text is copied;
// the demos get one more reference each.
bool space_add_text(struct space *space, size_t part, const char *text,
                    const char *kind, int parent, int *number, struct err *err);
bool space_add_demos(struct space *space, size_t part,
                     const struct demo_list *list, const char *kind, int parent,
                     int *number, struct err *err);

// Keeps those sentences of the teacher's answer about text `parent` (or
// SPACE_ORPHAN) that are neither in that text nor in the text as written.
bool space_add_sayings(struct space *space, size_t part, const char *answer,
                       int parent, struct err *err);

// Return the index of a part's or a tunable's choice in a combination.
size_t space_at_text(size_t part);
size_t space_at_demos(size_t part);
size_t space_at_tunable(const struct space *space, size_t tunable);

// Returns the number of choices at a place of a combination.
size_t space_count(const struct space *space, size_t at);

// Returns the candidate of a combination, a sealed child of parent. New
// reference.
struct candidate *space_candidate(const struct space *space, const int *choices,
                                  struct candidate *parent, struct err *err);

#endif
