// map: pointers found by a 128-bit hash.
//
// Open addressing with linear probing and backward-shift deletion; the keys
// are hashes already, so their first bytes are the probe. Grows to keep a
// third of the places free. The values are the caller's. Not thread-safe.

#ifndef COMMON_MAP_H
#define COMMON_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/hash.h"

struct map_place {
    struct hash key;
    void *value; // NULL: free
};

struct map {
    struct map_place *places; // owned; cap of them
    size_t cap;               // 0 or a power of two
    size_t n;
};

#define MAP_INIT ((struct map){0})

void map_release(struct map *map); // frees the places, not the values

// NULL when there is none.
void *map_find(const struct map *map, const struct hash *key);

// Sets key to value, which is not NULL; replaces. False without memory, and
// then nothing has changed.
bool map_put(struct map *map, const struct hash *key, void *value);

// Removes key and gives its value, NULL when there was none.
void *map_remove(struct map *map, const struct hash *key);

// Walks all entries in no useful order: start with *at = 0, until false.
// Nothing may be put or removed meanwhile.
bool map_next(const struct map *map, size_t *at, struct hash *key,
              void **value);

// A key for a number: spread, and never equal to that of another number.
struct hash map_number(int64_t number);

#endif
