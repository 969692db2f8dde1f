// key_index: numbers 128-bit keys in order of arrival.
//
// The first key gets position 0, the next 1, ...; its owners keep what
// else belongs to a key in arrays, by position. A key costs 16 bytes and 6 to
// 12 of slots, against 36 to 72 in common/map.h, which holds pointers and lets
// keys be removed: here are the millions, there the few that come and go.
//
// Open addressing with linear probing; slots hold position + 1, 0 is free;
// a third or more of them is free. Not thread-safe.

#ifndef STORE_KEY_INDEX_H
#define STORE_KEY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/hash.h"

// Most keys that one index takes.
#define KEY_INDEX_MAX (UINT32_MAX - 1)

struct key_index {
    struct hash *keys; // owned; n used of cap
    uint32_t *slots;   // owned; slot_count of them, 0 or a power of two
    size_t n;
    size_t cap;
    size_t slot_count;
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

// A key of two numbers, for those that are no hashes.
struct hash key_of(int64_t a, int64_t b);

// Makes room for n + 1 elements of `size` bytes in an array of *cap that is
// grown by half; for what is kept by position. False without memory.
bool key_array_reserve(void **array, size_t *cap, size_t n, size_t size,
                       struct err *err);

#endif
