#include "dispatch/group.h"

#include <assert.h>
#include <stdlib.h>

struct group *group_take(struct dispatch *dispatch, int64_t number)
{
    struct table_node *node = table_find(&dispatch->groups, number);

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
    ring_init(&group->buckets);
    ring_init(&group->homes);
    table_add(&dispatch->groups, &group->node, number);
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
