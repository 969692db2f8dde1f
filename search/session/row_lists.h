// row_lists: the rows that trials are scored on, with equal lists kept once.
//
// Most trials of a job are scored on all rows, so consecutive trials share one
// list. Only the last few lists are compared: a race scores many candidates on
// the same part of the rows, and then never uses that part again.

#ifndef SEARCH_SESSION_ROW_LISTS_H
#define SEARCH_SESSION_ROW_LISTS_H

#include "search/session/row_span.h"

struct row_list;

struct row_lists {
    struct row_list *newest; // owned, with all older ones
};

// Returns the same rows in the same order, valid until row_lists_release. Its
// rows are NULL when out of memory.
struct row_span row_lists_share(struct row_lists *lists, struct row_span span);
void row_lists_release(struct row_lists *lists);

#endif
