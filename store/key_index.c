#include "store/key_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 16, FIRST_SLOTS = 32 };

void key_index_release(struct key_index *index)
{
    free(index->keys);
    free(index->slots);
    *index = KEY_INDEX_INIT;
}

// Keys may be plain numbers (key_of), so all bits are stirred.
static size_t first_slot(const struct key_index *index, const struct hash *key)
{
    uint64_t a = 0;
    uint64_t b = 0;

    memcpy(&a, key->bytes, sizeof a);
    memcpy(&b, key->bytes + sizeof a, sizeof b);
    a = (a ^ (b * UINT64_C(0x9E3779B97F4A7C15))) * UINT64_C(0xD6E8FEB86659FD93);
    a ^= a >> 32;
    a *= UINT64_C(0xD6E8FEB86659FD93);
    return (size_t)(a >> 32) & (index->slot_count - 1);
}

// The slot that holds key, or the free one where it would go.
static size_t find_slot(const struct key_index *index, const struct hash *key)
{
    size_t at = first_slot(index, key);

    while (index->slots[at] != 0 &&
           !hash_equal(&index->keys[index->slots[at] - 1], key))
        at = (at + 1) & (index->slot_count - 1);
    return at;
}

bool key_index_find(const struct key_index *index, const struct hash *key,
                    size_t *position)
{
    if (index->n == 0)
        return false;
    uint32_t slot = index->slots[find_slot(index, key)];
    if (slot != 0)
        *position = slot - 1;
    return slot != 0;
}

static bool grow_slots(struct key_index *index, struct err *err)
{
    size_t count = index->slot_count > 0 ? index->slot_count * 2 : FIRST_SLOTS;
    uint32_t *slots = calloc(count, sizeof *slots);

    if (slots == NULL) {
        err_nomem(err, "an index of the store");
        return false;
    }
    free(index->slots);
    index->slots = slots;
    index->slot_count = count;
    for (size_t i = 0; i < index->n; i++)
        slots[find_slot(index, &index->keys[i])] = (uint32_t)i + 1;
    return true;
}

bool key_index_reserve(struct key_index *index, struct err *err)
{
    void *keys = index->keys;

    if (index->n >= KEY_INDEX_MAX) {
        err_set(err, ERR_LIMIT, "an index of the store is full (%zu keys)",
                index->n);
        return false;
    }
    if (!key_array_reserve(&keys, &index->cap, index->n, sizeof *index->keys,
                           err))
        return false;
    index->keys = keys;
    return (index->n + 1) * 3 <= index->slot_count * 2 ||
           grow_slots(index, err);
}

size_t key_index_add(struct key_index *index, const struct hash *key)
{
    assert(index->n < index->cap);

    size_t slot = find_slot(index, key);
    assert(index->slots[slot] == 0);
    index->keys[index->n] = *key;
    index->slots[slot] = (uint32_t)index->n + 1;
    return index->n++;
}

struct hash key_of(int64_t a, int64_t b)
{
    struct hash key;

    memcpy(key.bytes, &a, sizeof a);
    memcpy(key.bytes + sizeof a, &b, sizeof b);
    return key;
}

bool key_array_reserve(void **array, size_t *cap, size_t n, size_t size,
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
