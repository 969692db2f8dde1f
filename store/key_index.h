// key_index: numbers 128-bit keys in order of arrival.
//
// The first key gets position 0, the next 1, ...; its owners keep what
// else belongs to a key in arrays, by position. A key costs 16 bytes and 6 to
// 12 of slots (slots.h), against 36 to 72 in common/map.h, which holds pointers
// and lets keys be removed: here are the millions, there the few that come and
// go. Not thread-safe.

#ifndef STORE_KEY_INDEX_H
#define STORE_KEY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/hash.h"
#include "store/slots.h"

struct key_index {
    struct hash *keys; // owned; slots.n used of cap
    size_t cap;
    struct slots slots;
};

#define KEY_INDEX_INIT ((struct key_index){0})

void key_index_release(struct key_index *index);

// True when key is there; then *position is its number.
bool key_index_find(const struct key_index *index, const struct hash *key,
                    size_t *position);

// Makes room for one more key, so that the next add cannot fail.
bool key_index_reserve(struct key_index *index, struct err *err);

// Adds a key that is new, into room that was reserved; gives its position.
size_t key_index_add(struct key_index *index, const struct hash *key);

// Filling it with many at once, as when a store is opened, is quicker without
// keeping it searchable all the while: for each key key_index_make_room and
// key_index_append, then key_index_build once. Until then none of them is
// found.
bool key_index_make_room(struct key_index *index, struct err *err);
size_t key_index_append(struct key_index *index, const struct hash *key);
bool key_index_build(struct key_index *index, struct err *err);

// A key of two numbers, for those that are no hashes.
struct hash key_of(int64_t a, int64_t b);

#endif
