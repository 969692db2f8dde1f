#include "dispatch/share.h"

#include <stdlib.h>

#include "dispatch/seat.h"

// Finds or makes it.
static struct share *get_share(struct dispatch *dispatch, int32_t job)
{
    struct table_node *node = table_find(&dispatch->shares, job);
    struct share *share = NULL;

    if (node != NULL)
        return RING_OWNER(node, struct share, node);
    if (!table_reserve(&dispatch->shares, 1))
        return NULL;
    share = calloc(1, sizeof *share);
    if (share == NULL)
        return NULL;
    (void)seats_set(share, 0);
    table_add(&dispatch->shares, &share->node, job);
    return share;
}

static void free_share(struct dispatch *dispatch, struct share *share)
{
    table_remove(&dispatch->shares, &share->node);
    free(share);
}

struct share *share_take(struct dispatch *dispatch,
                         const struct dispatch_call *call)
{
    int32_t window = call->window > 0 ? call->window : DISPATCH_WINDOW;
    struct share *share = get_share(dispatch, call->job);

    if (share == NULL)
        return NULL;
    if (share->n_calls++ == 0)
        share->half = window > 1 ? window / 2 : 1;
    share->priority = call->priority > 0 ? call->priority : DISPATCH_PRIORITY;
    return share;
}

void share_drop(struct dispatch *dispatch, struct share *share)
{
    if (--share->n_calls == 0 && share->max_workers == 0)
        free_share(dispatch, share);
}

bool share_limit(struct dispatch *dispatch, int32_t job, int32_t max_workers)
{
    struct share *share = get_share(dispatch, job);
    bool ok = share != NULL && seats_set(share, max_workers);

    if (share != NULL && share->n_calls == 0 && share->max_workers == 0)
        free_share(dispatch, share);
    return ok;
}

void shares_free(struct dispatch *dispatch)
{
    struct table_node *node = table_next(&dispatch->shares, NULL);

    while (node != NULL) {
        struct table_node *next = table_next(&dispatch->shares, node);
        struct share *share = RING_OWNER(node, struct share, node);
        (void)seats_set(share, 0);
        free_share(dispatch, share);
        node = next;
    }
}
