// row_lists: the rows that trials are on, each list kept once.
//
// Most trials of a job are on all rows that it has to score, so those that
// follow each other share one list. Only the last few lists are compared: a
// race scores many candidates on the same part, and then never again.

#ifndef SEARCH_SESSION_ROW_LISTS_H
#define SEARCH_SESSION_ROW_LISTS_H

#include <stddef.h>

struct row_list;

struct row_lists {
    struct row_list *newest; // owned, with those before it
};

// The same rows in the same order, kept until row_lists_release. NULL without
// memory.
const size_t *row_lists_share(struct row_lists *lists, const size_t *rows,
                              size_t n);
void row_lists_release(struct row_lists *lists);

#endif
