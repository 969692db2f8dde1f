#include "worker/held.h"

#include <assert.h>
#include <stdlib.h>

struct held *held_add(struct held_list *list, const struct call_message *call,
                      struct arena *arena)
{
    struct held *held = calloc(1, sizeof *held);
    struct held **end = &list->first;

    if (held == NULL)
        return NULL;
    held->call = *call;
    held->arena = *arena;
    *arena = ARENA_INIT(arena->max_bytes);
    while (*end != NULL)
        end = &(*end)->next;
    *end = held;
    list->n++;
    return held;
}

struct held *held_find(const struct held_list *list, int64_t id)
{
    struct held *held = list->first;

    while (held != NULL && held->call.id != id)
        held = held->next;
    return held;
}

struct held *held_first_waiting(const struct held_list *list)
{
    struct held *held = list->n == list->n_open ? NULL : list->first;

    while (held != NULL && held->open)
        held = held->next;
    return held;
}

void held_set_open(struct held_list *list, struct held *held, bool open)
{
    assert(held->open != open);

    held->open = open;
    list->n_open += open ? 1 : (size_t)-1;
}

void held_remove(struct held_list *list, struct held *held)
{
    struct held **at = &list->first;

    while (*at != held)
        at = &(*at)->next;
    *at = held->next;
    list->n--;
    list->n_open -= held->open ? 1 : 0;
    arena_release(&held->arena);
    free(held);
}

void held_release(struct held_list *list)
{
    while (list->first != NULL)
        held_remove(list, list->first);
}
