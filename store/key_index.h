// key_index: numbers 128-bit keys in order of arrival.
//
// The first key gets position 0, the next 1, and so on; the index's owner keeps
// other data about a key in arrays, by position. A key costs 16 bytes and 6 to
// 12 bytes of slots (slots.h), against 36 to 72 bytes in common/map.h, which
// holds pointers and supports removal. This one is for the millions of keys
// that stay, the map for the few that come and go. Not thread-safe.

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

// Returns true if the key is in the index; *position is then its number.
bool key_index_find(const struct key_index *index, const struct hash *key,
                    size_t *position);

// Makes room for one more key, so that the next add cannot fail.
bool key_index_reserve(struct key_index *index, struct err *err);

// Adds a new key, for which room was reserved, and returns its position.
size_t key_index_add(struct key_index *index, const struct hash *key);

// For loading many keys, as when a store is opened, it is faster not to keep
// the index searchable all the time: call key_index_make_room and
// key_index_append for each key, then key_index_build once. The keys are not
// found before that.
bool key_index_make_room(struct key_index *index, struct err *err);
size_t key_index_append(struct key_index *index, const struct hash *key);
bool key_index_build(struct key_index *index, struct err *err);

// Makes a key from two numbers, for things that have no hash.
struct hash key_of(int64_t a, int64_t b);

#endif
