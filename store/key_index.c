#include "store/key_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void key_index_release(struct key_index *index)
{
    free(index->keys);
    slots_release(&index->slots);
    *index = KEY_INDEX_INIT;
}

// Keys may be plain numbers (key_of), so all bits are mixed.
static uint64_t hash_key(const struct hash *key)
{
    uint64_t a = 0;
    uint64_t b = 0;

    memcpy(&a, key->bytes, sizeof a);
    memcpy(&b, key->bytes + sizeof a, sizeof b);
    return slots_hash(a, b);
}

static uint64_t key_hash_at(const void *user, size_t position)
{
    const struct key_index *index = user;

    return hash_key(&index->keys[position]);
}

static bool key_is(const void *user, size_t position, const void *sought)
{
    const struct key_index *index = user;

    return hash_equal(&index->keys[position], sought);
}

static struct slots_owner keys_of(const struct key_index *index)
{
    return (struct slots_owner){
        .user = index, .hash = key_hash_at, .is = key_is};
}

bool key_index_find(const struct key_index *index, const struct hash *key,
                    size_t *position)
{
    const struct slots_owner owner = keys_of(index);

    return slots_find(&index->slots, &owner, hash_key(key), key, position);
}

bool key_index_make_room(struct key_index *index, struct err *err)
{
    void *keys = index->keys;

    if (!slots_array_reserve(&keys, &index->cap, index->slots.n,
                             sizeof *index->keys, err))
        return false;
    index->keys = keys;
    return true;
}

bool key_index_reserve(struct key_index *index, struct err *err)
{
    const struct slots_owner owner = keys_of(index);

    return key_index_make_room(index, err) &&
           slots_reserve(&index->slots, &owner, err);
}

size_t key_index_add(struct key_index *index, const struct hash *key)
{
    assert(index->slots.n < index->cap);

    index->keys[index->slots.n] = *key;
    return slots_add(&index->slots, hash_key(key));
}

size_t key_index_append(struct key_index *index, const struct hash *key)
{
    assert(index->slots.n < index->cap);

    index->keys[index->slots.n] = *key;
    return slots_append(&index->slots);
}

bool key_index_build(struct key_index *index, struct err *err)
{
    const struct slots_owner owner = keys_of(index);

    return slots_build(&index->slots, &owner, err);
}

struct hash key_of(int64_t a, int64_t b)
{
    struct hash key;

    memcpy(key.bytes, &a, sizeof a);
    memcpy(key.bytes + sizeof a, &b, sizeof b);
    return key;
}
