// row_span: a list of rows of the job's dataset, in an order that counts.
//
// It only points to the rows: they must outlive the call that it is passed to.
// Whoever keeps it for longer says so.

#ifndef SEARCH_SESSION_ROW_SPAN_H
#define SEARCH_SESSION_ROW_SPAN_H

#include <stddef.h>

#include "program/job/dataset.h"

struct row_span {
    const size_t *rows; // borrowed; may be NULL if n is 0
    size_t n;
};

static inline struct row_span row_span_of(const struct split *split,
                                          enum share share)
{
    return (struct row_span){split->rows[share], split->n[share]};
}

// Returns the first n rows, or all if there are fewer.
static inline struct row_span row_span_first(struct row_span span, size_t n)
{
    return (struct row_span){span.rows, n < span.n ? n : span.n};
}

#endif
