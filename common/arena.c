#include "common/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Blocks grow with the arena: a small arena costs little, a large one needs few
// allocations. The first block is small enough for malloc to serve from its
// cache.
enum { BLOCK_MIN = 960, BLOCK_MAX = 64 * 1024 };

struct arena_block {
    struct arena_block *next; // owned
    size_t cap;
    size_t used;
    bool clear; // zeroed by calloc, as large blocks are
    max_align_t data[];
};

void arena_release(struct arena *arena)
{
    struct arena_block *block = arena->head;

    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = ARENA_INIT(arena->max_bytes);
}

static size_t next_block_size(const struct arena *arena)
{
    if (arena->used_bytes < BLOCK_MIN)
        return BLOCK_MIN;
    return arena->used_bytes < BLOCK_MAX ? arena->used_bytes : BLOCK_MAX;
}

// Adds a block with room for size. A large piece gets its own block after the
// head, so that the rest of the head stays in use.
static struct arena_block *add_block(struct arena *arena, size_t size)
{
    size_t cap = next_block_size(arena);
    bool alone = size > cap / 4;

    if (alone)
        cap = size;
    bool clear = cap > BLOCK_MAX;
    struct arena_block *block =
        clear ? calloc(1, sizeof *block + cap) : malloc(sizeof *block + cap);
    if (block == NULL)
        return NULL;
    *block = (struct arena_block){.cap = cap, .clear = clear};
    if (alone && arena->head != NULL) {
        block->next = arena->head->next;
        arena->head->next = block;
    } else {
        block->next = arena->head;
        arena->head = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t unit = _Alignof(max_align_t);

    if (size > arena->max_bytes || size > SIZE_MAX / 2)
        return NULL;
    size = size == 0 ? unit : (size + unit - 1) / unit * unit;
    if (size > arena->max_bytes - arena->used_bytes)
        return NULL;

    struct arena_block *block = arena->head;
    if (block == NULL || size > block->cap - block->used)
        block = add_block(arena, size);
    if (block == NULL)
        return NULL;
    void *piece = (char *)block->data + block->used;
    block->used += size;
    arena->used_bytes += size;
    // Clears only this piece: a small block is often left mostly unused.
    return block->clear ? piece : memset(piece, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return arena_alloc(arena, count * size);
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc(arena, len + 1);

    if (copy != NULL && len > 0)
        memcpy(copy, text, len);
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len >= 0)
        text = arena_alloc(arena, (size_t)len + 1);
    if (text != NULL)
        (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}
