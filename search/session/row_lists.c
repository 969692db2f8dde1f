#include "search/session/row_lists.h"

#include <stdlib.h>
#include <string.h>

enum { LISTS_SEARCHED = 4 }; // only the newest ones

struct row_list {
    struct row_list *older;
    size_t n;
    size_t rows[];
};

static const struct row_list *find(const struct row_lists *lists,
                                   struct row_span span)
{
    const struct row_list *list = lists->newest;
    size_t n = span.n;

    for (int i = 0; list != NULL && i < LISTS_SEARCHED; i++) {
        if (list->n == n && (n == 0 || memcmp(list->rows, span.rows,
                                              n * sizeof *span.rows) == 0))
            return list;
        list = list->older;
    }
    return NULL;
}

struct row_span row_lists_share(struct row_lists *lists, struct row_span span)
{
    const struct row_list *same = find(lists, span);
    size_t bytes = span.n * sizeof *span.rows;
    struct row_list *list;

    if (same != NULL)
        return (struct row_span){same->rows, same->n};
    list = malloc(sizeof *list + bytes);
    if (list == NULL)
        return (struct row_span){NULL, 0};
    list->n = span.n;
    if (span.n > 0)
        memcpy(list->rows, span.rows, bytes);
    list->older = lists->newest;
    lists->newest = list;
    return (struct row_span){list->rows, list->n};
}

void row_lists_release(struct row_lists *lists)
{
    while (lists->newest != NULL) {
        struct row_list *older = lists->newest->older;

        free(lists->newest);
        lists->newest = older;
    }
}
