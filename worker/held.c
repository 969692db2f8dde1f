#include "worker/held.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/lease.h"

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
    held->number = ++list->last_number;
    list->n++;
    return held;
}

struct held *held_find(const struct held_list *list, int64_t id)
{
    struct held *held = list->first;

    while (held != NULL && (held->kept || held->call.id != id))
        held = held->next;
    return held;
}

struct held *held_by_number(const struct held_list *list, int64_t number)
{
    struct held *held = list->first;

    while (held != NULL && held->number != number)
        held = held->next;
    return held;
}

struct held *held_find_key(const struct held_list *list, const char *key,
                           size_t key_len)
{
    struct held *held = key_len != WIRE_KEY_BYTES ? NULL : list->first;

    while (held != NULL && (held->call.key_len != key_len ||
                            memcmp(held->call.key, key, key_len) != 0))
        held = held->next;
    return held;
}

struct held *held_first_waiting(const struct held_list *list)
{
    struct held *held =
        list->n + list->n_kept == list->n_open ? NULL : list->first;

    while (held != NULL && (held->open || held->answered))
        held = held->next;
    return held;
}

size_t held_list_leases(const struct held_list *list, char *out)
{
    size_t len = 0;

    for (const struct held *at = list->first; at != NULL; at = at->next) {
        if (at->kept || at->call.id >= WIRE_PROOF_ID)
            continue;
        lease_write(at->call.id, out + len);
        len += WIRE_LEASE_BYTES;
    }
    return len;
}

void held_set_open(struct held_list *list, struct held *held, bool open)
{
    assert(held->open != open);

    held->open = open;
    list->n_open += open ? 1 : (size_t)-1;
}

void held_keep(struct held_list *list, struct held *held)
{
    assert(!held->kept);

    held->kept = true;
    list->n--;
    list->n_kept++;
}

void held_set_sent(struct held_list *list, struct held *held, bool sent)
{
    assert(held->kept && held->sent != sent);

    held->sent = sent;
    list->n_sent += sent ? 1 : (size_t)-1;
}

struct held *held_first_sent(const struct held_list *list)
{
    struct held *held = list->n_sent == 0 ? NULL : list->first;

    while (held != NULL && !held->sent)
        held = held->next;
    return held;
}

void held_adopt(struct held_list *list, struct held *held, int64_t id)
{
    held->call.id = id;
    if (!held->kept)
        return;
    if (held->sent)
        held_set_sent(list, held, false);
    held->kept = false;
    list->n++;
    list->n_kept--;
}

void held_remove(struct held_list *list, struct held *held)
{
    struct held **at = &list->first;

    while (*at != held)
        at = &(*at)->next;
    *at = held->next;
    list->n -= held->kept ? 0 : 1;
    list->n_kept -= held->kept ? 1 : 0;
    list->n_sent -= held->sent ? 1 : 0;
    list->n_open -= held->open ? 1 : 0;
    call_answer_release(&held->answer);
    arena_release(&held->arena);
    free(held);
}

bool held_is_kept(const struct held *held)
{
    return held->kept;
}

bool held_is_unclaimed(const struct held *held)
{
    return held->kept && !held->sent;
}

bool held_has_lease(const struct held *held)
{
    return !held->kept;
}

bool held_is_waiting(const struct held *held)
{
    return !held->kept && !held->open;
}
