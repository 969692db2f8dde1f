// map: finds pointers by a 128-bit hash.
//
// Open addressing with linear probing and backward-shift deletion. The keys are
// already hashes, so their first bytes choose the place. Grows to keep a third
// of the places free. The values belong to the caller. Not thread-safe.

#ifndef COMMON_MAP_H
#define COMMON_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/hash.h"

struct map_place {
    struct hash key;
    void *value; // NULL if the place is free
};

struct map {
    struct map_place *places; // owned; cap of them
    size_t cap;               // 0 or a power of two
    size_t n;
};

#define MAP_INIT ((struct map){0})

void map_release(struct map *map); // frees the places, not the values

// Returns NULL if the key is missing.
void *map_find(const struct map *map, const struct hash *key);

// Sets the key's value, which must not be NULL, replacing any earlier one.
// Returns false when out of memory, with nothing changed.
bool map_put(struct map *map, const struct hash *key, void *value);

// Removes the key and returns its value, or NULL if the key was missing.
void *map_remove(struct map *map, const struct hash *key);

// Walks all entries in no particular order: start with *at = 0 and call until
// it returns false. Do not put or remove anything meanwhile.
bool map_next(const struct map *map, size_t *at, struct hash *key,
              void **value);

// Returns a key for a number: well spread, and different for every number.
struct hash map_number(int64_t number);

#endif
