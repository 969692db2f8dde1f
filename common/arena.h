// arena: memory with one lifetime, freed all at once.
//
// For a job, a program or a candidate: many small strings that live and die
// together. Allocations are zeroed and aligned for any type. Not thread-safe.

#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *head; // owned
    size_t used_bytes;        // over all blocks
    size_t max_bytes;         // allocations beyond this fail
};

#define ARENA_INIT(max) ((struct arena){.max_bytes = (max)})

void arena_release(struct arena *arena);

// Return NULL when out of memory or beyond max_bytes. A size of 0 gives a valid
// pointer.
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
