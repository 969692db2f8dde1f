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
                                   const size_t *rows, size_t n)
{
    const struct row_list *list = lists->newest;

    for (int i = 0; list != NULL && i < LISTS_SEARCHED; i++) {
        if (list->n == n &&
            (n == 0 || memcmp(list->rows, rows, n * sizeof *rows) == 0))
            return list;
        list = list->older;
    }
    return NULL;
}

const size_t *row_lists_share(struct row_lists *lists, const size_t *rows,
                              size_t n)
{
    const struct row_list *same = find(lists, rows, n);
    struct row_list *list;

    if (same != NULL)
        return same->rows;
    list = malloc(sizeof *list + n * sizeof *rows);
    if (list == NULL)
        return NULL;
    list->n = n;
    if (n > 0)
        memcpy(list->rows, rows, n * sizeof *rows);
    list->older = lists->newest;
    lists->newest = list;
    return list->rows;
}

void row_lists_release(struct row_lists *lists)
{
    while (lists->newest != NULL) {
        struct row_list *older = lists->newest->older;

        free(lists->newest);
        lists->newest = older;
    }
}
