// slots: positions in an array of the owner's, found by a hash of what stands
// there.
//
// The owner keeps its elements in an array in order of arrival; they are only
// ever removed all at once. Here are only their positions: 6 to 12 bytes an
// element. What a hash is, and when two elements are the same, the owner says.
//
// Open addressing with linear probing; a slot holds position + 1, 0 is free; a
// third or more of them is free. Not thread-safe.

#ifndef STORE_SLOTS_H
#define STORE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

// Most positions that are told apart.
#define SLOTS_MAX (UINT32_MAX - 1)

struct slots {
    uint32_t *at; // owned; count of them
    size_t count; // 0 or a power of two
    size_t n;     // positions in use: 0 to n - 1
};

#define SLOTS_INIT ((struct slots){0})

struct slots_owner {
    const void *user;
    // The hash of the element at a position, and whether it is what is sought.
    uint64_t (*hash)(const void *user, size_t position);
    bool (*is)(const void *user, size_t position, const void *sought);
};

void slots_release(struct slots *slots);

// No positions any more; the memory is kept.
void slots_clear(struct slots *slots);

// True when it is there; then *position is its place.
bool slots_find(const struct slots *slots, const struct slots_owner *owner,
                uint64_t hash, const void *sought, size_t *position);

// Makes room for one more, so that the next add cannot fail.
bool slots_reserve(struct slots *slots, const struct slots_owner *owner,
                   struct err *err);

// The next position, for what was not found. The owner has put it there.
size_t slots_add(struct slots *slots, uint64_t hash);

// The same for many, none of which is found before slots_build was called. That
// places a million in 0.02 s; one by one among other work, when each place has
// to be fetched from memory, it takes 0.17 s.
size_t slots_append(struct slots *slots);
bool slots_build(struct slots *slots, const struct slots_owner *owner,
                 struct err *err);

// A hash of two numbers, whatever they are.
uint64_t slots_hash(uint64_t a, uint64_t b);

// Makes room for n + 1 elements of `size` bytes in an array of *cap that is
// grown by half; for what is kept by position. False without memory.
bool slots_array_reserve(void **array, size_t *cap, size_t n, size_t size,
                         struct err *err);

#endif
