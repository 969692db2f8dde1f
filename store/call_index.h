// call_index: the calls of a store, in memory.
//
// Calls are found by key (has it been paid for?) and by id (what did it cost?).
// The index takes 9 bytes per call on top of key_index: about 35 in all. Ids
// rise with the position: an id is position + 1 unless somebody has deleted
// rows. Only then are the ids kept, for 4 bytes more.

#ifndef STORE_CALL_INDEX_H
#define STORE_CALL_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "store/calls.h"
#include "store/key_index.h"

struct call_tokens {
    int32_t prompt;
    int32_t generated;
};

struct call_index {
    struct key_index keys;
    struct call_tokens *tokens; // owned, by position, like the two below
    uint8_t *outcomes;          // owned
    uint32_t *ids;              // owned; NULL while every id is position + 1
    size_t tokens_cap, outcomes_cap, ids_cap;
    uint32_t last_id;
};

#define CALL_INDEX_INIT ((struct call_index){0})

void call_index_release(struct call_index *index);

// Find a call by its key, or by its id. Return false if there is none.
bool call_index_find(const struct call_index *index, const struct hash *key,
                     struct call_ref *out);
bool call_index_get(const struct call_index *index, int64_t id,
                    struct call_ref *out);
// Returns how many calls have an id up to this one.
size_t call_index_up_to(const struct call_index *index, int64_t id);

// Makes room for one more call with that id, so that its add cannot fail.
bool call_index_reserve(struct call_index *index, int64_t id, struct err *err);

// Adds a new key, whose id must be above all others.
void call_index_add(struct call_index *index, const struct hash *key,
                    const struct call_ref *ref);

// Like call_index_add, for loading many calls: they are found by key only once
// call_index_build has been called. If several calls have the same key, the
// first one is found.
bool call_index_append(struct call_index *index, const struct hash *key,
                       const struct call_ref *ref, struct err *err);
// Appends all calls of another index, whose ids must be above.
bool call_index_append_all(struct call_index *index,
                           const struct call_index *later, struct err *err);
bool call_index_build(struct call_index *index, struct err *err);

#endif
