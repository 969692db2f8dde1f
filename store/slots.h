// slots: finds positions in an owner's array by a hash of the elements.
//
// The owner keeps its elements in an array in order of arrival; they are only
// ever removed all at once. The slots hold only their positions: 6 to 12 bytes
// per element. The owner defines the hash, and when two elements are the same.
//
// Open addressing with linear probing. A slot holds position + 1, or 0 if it is
// free; at least a third are free. Not thread-safe.

#ifndef STORE_SLOTS_H
#define STORE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

// The maximum number of positions.
#define SLOTS_MAX (UINT32_MAX - 1)

struct slots {
    uint32_t *at; // owned; `count` of them
    size_t count; // 0 or a power of two
    size_t n;     // positions in use: 0 to n - 1
};

#define SLOTS_INIT ((struct slots){0})

struct slots_owner {
    const void *user;
    // Return an element's hash, and whether it is the one sought.
    uint64_t (*hash)(const void *user, size_t position);
    bool (*is)(const void *user, size_t position, const void *sought);
};

void slots_release(struct slots *slots);

// Removes all positions; keeps the memory.
void slots_clear(struct slots *slots);

// Returns true if the element is found; *position is then its position.
bool slots_find(const struct slots *slots, const struct slots_owner *owner,
                uint64_t hash, const void *sought, size_t *position);

// Makes room for one more, so that the next add cannot fail.
bool slots_reserve(struct slots *slots, const struct slots_owner *owner,
                   struct err *err);

// Adds the next position, for an element that was not found. The owner has
// already stored it there.
size_t slots_add(struct slots *slots, uint64_t hash);

// Like slots_add, for many elements, none of which is found before slots_build
// is called. Building a million takes 0.02 s. Adding them one by one in between
// other work, when each slot has to be fetched from memory, takes 0.17 s.
size_t slots_append(struct slots *slots);
bool slots_build(struct slots *slots, const struct slots_owner *owner,
                 struct err *err);

// Hashes any two numbers.
uint64_t slots_hash(uint64_t a, uint64_t b);

// Makes room for n + 1 elements of `size` bytes in an array of capacity *cap,
// growing it by half; for arrays that are indexed by position. Returns false
// when out of memory.
bool slots_array_reserve(void **array, size_t *cap, size_t n, size_t size,
                         struct err *err);

#endif
