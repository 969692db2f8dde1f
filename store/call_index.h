// call_index: the calls of a store, in memory.
//
// By key (is it paid for?) and by id (what did it cost?). 16 bytes a call
// on top of key_index: about 45 in all with the room to grow. Ids rise with the
// position but may have gaps, where a person deleted rows.

#ifndef STORE_CALL_INDEX_H
#define STORE_CALL_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "store/calls.h"
#include "store/key_index.h"

struct call_entry {
    uint64_t id_outcome; // id * 256 + outcome
    int32_t prompt_tokens;
    int32_t generated_tokens;
};

struct call_index {
    struct key_index keys;
    struct call_entry *entries; // owned, by position
    size_t cap;
};

#define CALL_INDEX_INIT ((struct call_index){0})

void call_index_release(struct call_index *index);

// By key, by id. False when there is none.
bool call_index_find(const struct call_index *index, const struct hash *key,
                     struct call_ref *out);
bool call_index_get(const struct call_index *index, int64_t id,
                    struct call_ref *out);

// Makes room for one more, so that the next add cannot fail.
bool call_index_reserve(struct call_index *index, struct err *err);

// A new key with an id above all others.
void call_index_add(struct call_index *index, const struct hash *key,
                    const struct call_ref *ref);

#endif
