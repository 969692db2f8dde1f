// stock: the instructions and the demo sets that each step may get.
//
// Of each predictor choice 0 is what the program has: its instruction as
// written, and no demos. What is added is kept for good and known by its number
// from then on, so that what was learned of it stays true. A text or a set that
// is there already is not added again: its number comes back, and no call is
// spent on it twice.
//
// A combination is a choice of both for each predictor, in their order:
// {instruction, demos, instruction, demos, ...}.

#ifndef SEARCH_TOOLKIT_POOL_H
#define SEARCH_TOOLKIT_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"
#include "search/toolkit/demo_set.h"

enum stock_side { STOCK_TEXT, STOCK_DEMOS };
enum { STOCK_SIDES = 2 };

struct stock_text {
    char *text;       // owned
    const char *kind; // where it comes from, for people; static
};

struct stock_demos {
    struct demo_list list; // owned
    const char *kind;
};

struct stock_part {
    struct stock_text *texts; // owned, as the next
    size_t n_texts;
    struct stock_demos *sets;
    size_t n_sets;
};

struct stock {
    struct session *session;  // borrowed
    struct stock_part *parts; // owned: one a predictor
    size_t n_parts;
};

bool stock_init(struct stock *stock, struct session *session, struct err *err);
void stock_release(struct stock *stock); // zeroed is fine

// Both give the number of what was added, or of what is the same; number may be
// NULL. The text is copied, the list's demos are referred to.
bool stock_add_text(struct stock *stock, size_t part, const char *text,
                    const char *kind, int *number, struct err *err);
bool stock_add_demos(struct stock *stock, size_t part,
                     const struct demo_list *list, const char *kind,
                     int *number, struct err *err);

// How many choices there are.
size_t stock_count(const struct stock *stock, size_t part,
                   enum stock_side side);

// The candidate of a combination, a child of parent, sealed. New reference.
struct candidate *stock_candidate(const struct stock *stock, const int *choices,
                                  struct candidate *parent, struct err *err);

#endif
