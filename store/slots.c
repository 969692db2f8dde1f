#include "store/slots.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 16, FIRST_SLOTS = 32 };

void slots_release(struct slots *slots)
{
    free(slots->at);
    *slots = SLOTS_INIT;
}

void slots_clear(struct slots *slots)
{
    if (slots->n > 0)
        memset(slots->at, 0, slots->count * sizeof *slots->at);
    slots->n = 0;
}

uint64_t slots_hash(uint64_t a, uint64_t b)
{
    a = (a ^ (b * UINT64_C(0x9E3779B97F4A7C15))) * UINT64_C(0xD6E8FEB86659FD93);
    a ^= a >> 32;
    a *= UINT64_C(0xD6E8FEB86659FD93);
    return a >> 32;
}

bool slots_find(const struct slots *slots, const struct slots_owner *owner,
                uint64_t hash, const void *sought, size_t *position)
{
    if (slots->n == 0)
        return false;
    for (size_t i = hash & (slots->count - 1); slots->at[i] != 0;
         i = (i + 1) & (slots->count - 1)) {
        if (!owner->is(owner->user, slots->at[i] - 1, sought))
            continue;
        *position = slots->at[i] - 1;
        return true;
    }
    return false;
}

static void put(struct slots *slots, uint64_t hash, size_t position)
{
    size_t i = hash & (slots->count - 1);

    while (slots->at[i] != 0)
        i = (i + 1) & (slots->count - 1);
    slots->at[i] = (uint32_t)position + 1;
}

static bool is_full(size_t n, size_t count)
{
    return (n + 1) * 3 > count * 2;
}

// Moves all positions into a new table with that many slots.
static bool place_all(struct slots *slots, const struct slots_owner *owner,
                      size_t count, struct err *err)
{
    uint32_t *at = calloc(count, sizeof *at);

    if (at == NULL) {
        err_nomem(err, "an index of the store");
        return false;
    }
    free(slots->at);
    slots->at = at;
    slots->count = count;
    for (size_t i = 0; i < slots->n; i++)
        put(slots, owner->hash(owner->user, i), i);
    return true;
}

static bool check_room(const struct slots *slots, struct err *err)
{
    if (slots->n < SLOTS_MAX)
        return true;
    err_set(err, ERR_LIMIT, "an index of the store is full (%zu entries)",
            slots->n);
    return false;
}

bool slots_reserve(struct slots *slots, const struct slots_owner *owner,
                   struct err *err)
{
    size_t count = slots->count > 0 ? slots->count * 2 : FIRST_SLOTS;

    return check_room(slots, err) && (!is_full(slots->n, slots->count) ||
                                      place_all(slots, owner, count, err));
}

size_t slots_append(struct slots *slots)
{
    return slots->n++;
}

bool slots_build(struct slots *slots, const struct slots_owner *owner,
                 struct err *err)
{
    size_t count = FIRST_SLOTS;

    while (is_full(slots->n, count))
        count *= 2;
    return check_room(slots, err) && place_all(slots, owner, count, err);
}

size_t slots_add(struct slots *slots, uint64_t hash)
{
    put(slots, hash, slots->n);
    return slots->n++;
}

bool slots_array_reserve(void **array, size_t *cap, size_t n, size_t size,
                         struct err *err)
{
    if (n < *cap)
        return true;
    size_t grown = *cap < FIRST_CAP ? FIRST_CAP : *cap + *cap / 2;
    void *bytes =
        grown > SIZE_MAX / size ? NULL : realloc(*array, grown * size);
    if (bytes == NULL) {
        err_nomem(err, "an index of the store");
        return false;
    }
    *array = bytes;
    *cap = grown;
    return true;
}
