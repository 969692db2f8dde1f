#include "store/call_index.h"

#include <assert.h>
#include <stdlib.h>

void call_index_release(struct call_index *index)
{
    key_index_release(&index->keys);
    free(index->tokens);
    free(index->outcomes);
    free(index->ids);
    *index = CALL_INDEX_INIT;
}

static int64_t id_at(const struct call_index *index, size_t position)
{
    return index->ids == NULL ? (int64_t)position + 1 : index->ids[position];
}

static void read_entry(const struct call_index *index, size_t position,
                       struct call_ref *out)
{
    *out = (struct call_ref){
        .id = id_at(index, position),
        .prompt_tokens = index->tokens[position].prompt,
        .generated_tokens = index->tokens[position].generated,
        .outcome = (enum call_outcome)index->outcomes[position],
    };
}

bool call_index_find(const struct call_index *index, const struct hash *key,
                     struct call_ref *out)
{
    size_t at = 0;

    if (!key_index_find(&index->keys, key, &at))
        return false;
    read_entry(index, at, out);
    return true;
}

// Returns the first position whose id is not below id.
static size_t lower_bound(const struct call_index *index, int64_t id)
{
    size_t low = 0;
    size_t high = index->keys.slots.n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (id_at(index, middle) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t call_index_up_to(const struct call_index *index, int64_t id)
{
    return lower_bound(index, id + 1);
}

bool call_index_get(const struct call_index *index, int64_t id,
                    struct call_ref *out)
{
    size_t n = index->keys.slots.n;
    size_t at = id > 0 ? (size_t)id - 1 : SIZE_MAX;

    // Without gaps, the id gives the position.
    if (at >= n || id_at(index, at) != id)
        at = lower_bound(index, id);
    if (at >= n || id_at(index, at) != id)
        return false;
    read_entry(index, at, out);
    return true;
}

// From the first gap on, all ids are kept, including the earlier ones.
static bool begin_ids(struct call_index *index, struct err *err)
{
    index->ids = calloc(index->tokens_cap, sizeof *index->ids);
    if (index->ids == NULL) {
        err_nomem(err, "an index of the store");
        return false;
    }
    index->ids_cap = index->tokens_cap;
    for (size_t i = 0; i < index->keys.slots.n; i++)
        index->ids[i] = (uint32_t)i + 1;
    return true;
}

static bool reserve_id(struct call_index *index, int64_t id, struct err *err)
{
    size_t n = index->keys.slots.n;
    void *ids = index->ids;

    if (ids == NULL)
        return id == (int64_t)n + 1 || begin_ids(index, err);
    if (!slots_array_reserve(&ids, &index->ids_cap, n, sizeof *index->ids, err))
        return false;
    index->ids = ids;
    return true;
}

// Reserves everything except the key's slot.
static bool make_room(struct call_index *index, int64_t id, struct err *err)
{
    size_t n = index->keys.slots.n;
    void *tokens = index->tokens;
    void *outcomes = index->outcomes;

    if (!slots_array_reserve(&tokens, &index->tokens_cap, n,
                             sizeof *index->tokens, err))
        return false;
    index->tokens = tokens;
    if (!slots_array_reserve(&outcomes, &index->outcomes_cap, n,
                             sizeof *index->outcomes, err))
        return false;
    index->outcomes = outcomes;
    return reserve_id(index, id, err);
}

bool call_index_reserve(struct call_index *index, int64_t id, struct err *err)
{
    return make_room(index, id, err) && key_index_reserve(&index->keys, err);
}

static void keep(struct call_index *index, size_t at,
                 const struct call_ref *ref)
{
    assert(at < index->tokens_cap);
    assert(ref->id > index->last_id && ref->id <= (int64_t)UINT32_MAX);
    assert(index->ids != NULL || ref->id == (int64_t)at + 1);
    index->tokens[at] = (struct call_tokens){
        .prompt = ref->prompt_tokens, .generated = ref->generated_tokens};
    index->outcomes[at] = (uint8_t)ref->outcome;
    if (index->ids != NULL)
        index->ids[at] = (uint32_t)ref->id;
    index->last_id = (uint32_t)ref->id;
}

void call_index_add(struct call_index *index, const struct hash *key,
                    const struct call_ref *ref)
{
    keep(index, key_index_add(&index->keys, key), ref);
}

bool call_index_append(struct call_index *index, const struct hash *key,
                       const struct call_ref *ref, struct err *err)
{
    if (!make_room(index, ref->id, err) ||
        !key_index_make_room(&index->keys, err))
        return false;
    keep(index, key_index_append(&index->keys, key), ref);
    return true;
}

bool call_index_append_all(struct call_index *index,
                           const struct call_index *later, struct err *err)
{
    struct call_ref ref;

    for (size_t i = 0; i < later->keys.slots.n; i++) {
        read_entry(later, i, &ref);
        if (!call_index_append(index, &later->keys.keys[i], &ref, err))
            return false;
    }
    return true;
}

bool call_index_build(struct call_index *index, struct err *err)
{
    return key_index_build(&index->keys, err);
}
