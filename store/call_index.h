// call_index: the calls of a store, in memory.
//
// By key (is it paid for?) and by id (what did it cost?). 9 bytes a call on top
// of key_index: about 35 in all. Ids rise with the position: they are
// position + 1 unless a person has deleted rows, and only then are they kept,
// for 4 bytes more.

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
    struct call_tokens *tokens; // owned, by position, as the two below
    uint8_t *outcomes;          // owned
    uint32_t *ids;              // owned; NULL while each is its position + 1
    size_t tokens_cap, outcomes_cap, ids_cap;
    uint32_t last_id;
};

#define CALL_INDEX_INIT ((struct call_index){0})

void call_index_release(struct call_index *index);

// Finds a call by its key, or by its id. False when there is none.
bool call_index_find(const struct call_index *index, const struct hash *key,
                     struct call_ref *out);
bool call_index_get(const struct call_index *index, int64_t id,
                    struct call_ref *out);
// How many have an id of at most that.
size_t call_index_up_to(const struct call_index *index, int64_t id);

// Makes room for one more with that id, so that its add cannot fail.
bool call_index_reserve(struct call_index *index, int64_t id, struct err *err);

// A new key with an id above all others.
void call_index_add(struct call_index *index, const struct hash *key,
                    const struct call_ref *ref);

// The same for many, which are found by their key once call_index_build has
// been called. Of calls of one key the first is found.
bool call_index_append(struct call_index *index, const struct hash *key,
                       const struct call_ref *ref, struct err *err);
// All of another index, whose ids are above.
bool call_index_append_all(struct call_index *index,
                           const struct call_index *later, struct err *err);
bool call_index_build(struct call_index *index, struct err *err);

#endif
