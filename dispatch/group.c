#include "dispatch/group.h"

#include <assert.h>
#include <stdlib.h>

struct group *group_take(struct dispatch *dispatch,
                         const struct dispatch_call *call)
{
    struct table_node *node = table_find(&dispatch->groups, call->group);

    if (node != NULL) {
        struct group *known = RING_OWNER(node, struct group, node);
        known->refs++;
        return known;
    }
    if (!table_reserve(&dispatch->groups, 1))
        return NULL;
    struct group *group = calloc(1, sizeof *group);
    if (group == NULL)
        return NULL;
    group->refs = 1;
    group->kind = call->kind;
    group->prefix_size = call->prefix_size;
    ring_init(&group->buckets);
    ring_init(&group->homes);
    table_add(&dispatch->groups, &group->node, call->group);
    return group;
}

void group_drop(struct dispatch *dispatch, struct group *group)
{
    if (group == NULL || --group->refs > 0)
        return;
    assert(ring_empty(&group->buckets) && ring_empty(&group->homes));
    table_remove(&dispatch->groups, &group->node);
    free(group);
}

void group_leave(struct dispatch *dispatch, struct slot *slot)
{
    ring_remove(&slot->home);
    group_drop(dispatch, slot->group);
    slot->group = NULL;
}
