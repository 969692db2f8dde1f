#include "dispatch/share.h"

#include <stdlib.h>

#include "dispatch/seat.h"

enum {
    BEHIND_CALLS = 2,   // lag that is made up for, at most
    USUAL_OF_CALLS = 8, // usual_ms follows about this many calls
};

struct share *share_find(const struct dispatch *dispatch, int32_t job)
{
    struct table_node *node = table_find(&dispatch->shares, job);

    return node == NULL ? NULL : RING_OWNER(node, struct share, node);
}

// Finds or creates the job's share.
static struct share *get_share(struct dispatch *dispatch, int32_t job)
{
    struct share *share = share_find(dispatch, job);

    if (share != NULL)
        return share;
    if (!table_reserve(&dispatch->shares, 1))
        return NULL;
    share = calloc(1, sizeof *share);
    if (share == NULL)
        return NULL;
    (void)seats_set(share, 0);
    share->had_ms = dispatch->served_ms;
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

double share_step(const struct dispatch *dispatch, const struct share *share)
{
    double usual_ms = dispatch->usual_ms > 1 ? dispatch->usual_ms : 1;

    return usual_ms / (double)share->priority;
}

static double had_ms(const struct dispatch *dispatch, const struct share *share)
{
    double least =
        dispatch->served_ms - BEHIND_CALLS * share_step(dispatch, share);

    return share->had_ms > least ? share->had_ms : least;
}

double share_need(const struct dispatch *dispatch, const struct share *share)
{
    return had_ms(dispatch, share) +
           (double)share->in_work * share_step(dispatch, share);
}

void share_serve(struct dispatch *dispatch, struct share *share)
{
    share->had_ms = had_ms(dispatch, share);
    if (dispatch->served_ms < share->had_ms)
        dispatch->served_ms = share->had_ms;
}

void share_charge(struct dispatch *dispatch, struct share *share,
                  int64_t slot_ms)
{
    double ms = slot_ms > 1 ? (double)slot_ms : 1;

    share->had_ms = had_ms(dispatch, share) + ms / (double)share->priority;
    if (dispatch->usual_ms <= 0)
        dispatch->usual_ms = ms;
    dispatch->usual_ms += (ms - dispatch->usual_ms) / USUAL_OF_CALLS;
}

bool share_set_limit(struct dispatch *dispatch, int32_t job,
                     int32_t max_workers)
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
