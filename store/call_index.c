#include "store/call_index.h"

#include <assert.h>
#include <stdlib.h>

void call_index_release(struct call_index *index)
{
    key_index_release(&index->keys);
    free(index->entries);
    *index = CALL_INDEX_INIT;
}

static int64_t id_of(const struct call_entry *entry)
{
    return (int64_t)(entry->id_outcome >> 8);
}

static void read_entry(const struct call_entry *entry, struct call_ref *out)
{
    *out = (struct call_ref){
        .id = id_of(entry),
        .prompt_tokens = entry->prompt_tokens,
        .generated_tokens = entry->generated_tokens,
        .outcome = (enum call_outcome)(entry->id_outcome & 0xFF),
    };
}

bool call_index_find(const struct call_index *index, const struct hash *key,
                     struct call_ref *out)
{
    size_t at = 0;

    if (!key_index_find(&index->keys, key, &at))
        return false;
    read_entry(&index->entries[at], out);
    return true;
}

// The first position whose id is not below id.
static size_t lower_bound(const struct call_index *index, int64_t id)
{
    size_t low = 0;
    size_t high = index->keys.n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (id_of(&index->entries[middle]) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool call_index_get(const struct call_index *index, int64_t id,
                    struct call_ref *out)
{
    size_t at = id > 0 ? (size_t)id - 1 : SIZE_MAX;

    // Without gaps the id tells the position.
    if (at >= index->keys.n || id_of(&index->entries[at]) != id)
        at = lower_bound(index, id);
    if (at >= index->keys.n || id_of(&index->entries[at]) != id)
        return false;
    read_entry(&index->entries[at], out);
    return true;
}

bool call_index_reserve(struct call_index *index, struct err *err)
{
    void *entries = index->entries;

    if (!key_array_reserve(&entries, &index->cap, index->keys.n,
                           sizeof *index->entries, err))
        return false;
    index->entries = entries;
    return key_index_reserve(&index->keys, err);
}

void call_index_add(struct call_index *index, const struct hash *key,
                    const struct call_ref *ref)
{
    assert(index->keys.n < index->cap && ref->id > 0);
    assert(index->keys.n == 0 ||
           id_of(&index->entries[index->keys.n - 1]) < ref->id);

    size_t at = key_index_add(&index->keys, key);
    index->entries[at] = (struct call_entry){
        .id_outcome = ((uint64_t)ref->id << 8) | (uint64_t)ref->outcome,
        .prompt_tokens = ref->prompt_tokens,
        .generated_tokens = ref->generated_tokens,
    };
}
