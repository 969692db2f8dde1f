// arena: memory with one lifetime, freed in one stroke.
//
// A job, a program, a candidate: many small strings that live and die
// together. Allocations are aligned for any type and zeroed. Not thread-safe.

#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *head; // owned
    size_t used_bytes;        // over all blocks
    size_t max_bytes;         // allocations beyond it fail
};

#define ARENA_INIT(max) ((struct arena){.max_bytes = (max)})

void arena_release(struct arena *arena);

// NULL without memory or beyond max_bytes; size 0 gives a valid pointer.
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
