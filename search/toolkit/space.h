// space: what is searched: the instructions and the demo sets that a step may
// get.
//
// Choice 0 of each predictor is what the program has: its instruction as
// written, and no demos. What is added is kept for good and keeps its number,
// so that what was learned about it stays true. A text or a set that is there
// already is not added again: its number is returned, and no call is spent on
// it twice.
//
// A combination is a choice of both for each predictor, in their order, and
// then of each tunable that is searched, 0 being its default:
// {instruction, demos, instruction, demos, ..., temperature, ...}.

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
    SPACE_ORPHAN = -1,   // made of none that is in the space
    SPACE_SAYINGS = 300, // of a part; further ones are not kept
};

struct space_text {
    char *text;       // owned
    const char *kind; // where it comes from, for people; static
    int parent;       // number of the one that it was made of
    bool share;       // of another text: part of what the teacher said there
};

struct space_demos {
    struct demo_list list; // owned
    const char *kind;
    int parent;
};

struct space_part {
    struct space_text *texts; // owned, as the next
    size_t n_texts;
    struct space_demos *sets;
    size_t n_sets;
    char **sayings; // owned: sentences that the teacher added to a text, each
                    // once; other texts may hold them too
    size_t n_sayings;
};

struct space {
    struct session *session;  // borrowed
    struct space_part *parts; // owned: one a predictor
    size_t n_parts;
    const struct tunable *tunables[TUNABLES_MAX]; // borrowed
    size_t n_tunables;
    size_t n_choices; // of a combination
};

bool space_init(struct space *space, struct session *session, struct err *err);
void space_release(struct space *space); // zeroed is fine

// Add a text or a set of demos. *number is that of what was added, or of an
// equal one that was there; number may be NULL. The text is copied; demos
// become one more reference each.
bool space_add_text(struct space *space, size_t part, const char *text,
                    const char *kind, int parent, int *number, struct err *err);
bool space_add_demos(struct space *space, size_t part,
                     const struct demo_list *list, const char *kind, int parent,
                     int *number, struct err *err);

// Keeps what the teacher's answer about text `parent` (or SPACE_ORPHAN) says
// that neither it nor the text as written does, sentence by sentence.
bool space_add_sayings(struct space *space, size_t part, const char *answer,
                       int parent, struct err *err);

// Where the choices of a part and of a tunable stand in a combination.
size_t space_at_text(size_t part);
size_t space_at_demos(size_t part);
size_t space_at_tunable(const struct space *space, size_t tunable);

// How many choices there are at a place of a combination.
size_t space_count(const struct space *space, size_t at);

// The candidate of a combination, a child of parent, sealed. New reference.
struct candidate *space_candidate(const struct space *space, const int *choices,
                                  struct candidate *parent, struct err *err);

#endif
