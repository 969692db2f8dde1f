#include "common/arena.h"

#include <stdint.h>
#include <string.h>

#include <criterion/criterion.h>

static struct arena arena;

static void open_arena(void)
{
    arena = ARENA_INIT(1024 * 1024);
}

static void close_arena(void)
{
    arena_release(&arena);
}

TestSuite(arena, .init = open_arena, .fini = close_arena);

Test(arena, pieces_are_zeroed_and_aligned_for_any_type)
{
    for (size_t size = 0; size < 3000; size += 37) {
        unsigned char *piece = arena_alloc(&arena, size);
        cr_assert_not_null(piece);
        cr_assert_eq((uintptr_t)piece % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            cr_assert_eq(piece[i], 0);
    }
}

Test(arena, pieces_do_not_overlap)
{
    enum { COUNT = 500 };
    unsigned char *pieces[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        pieces[i] = arena_alloc(&arena, 1 + i % 700);
        cr_assert_not_null(pieces[i]);
        memset(pieces[i], (int)(i % 251), 1 + i % 700);
    }
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert_eq(pieces[i][0], i % 251);
        cr_assert_eq(pieces[i][i % 700], i % 251);
    }
}

Test(arena, allocation_beyond_the_maximum_fails)
{
    arena.max_bytes = 4096;

    cr_expect_null(arena_alloc(&arena, 4097));
    cr_expect_not_null(arena_alloc(&arena, 4000));
    cr_expect_null(arena_alloc(&arena, 4000));
    cr_expect_not_null(arena_alloc(&arena, 10));
    cr_expect_leq(arena.used_bytes, arena.max_bytes);
}

Test(arena, a_size_that_overflows_is_refused)
{
    arena.max_bytes = SIZE_MAX;

    cr_expect_null(arena_array(&arena, SIZE_MAX / 2, 3));
    cr_expect_null(arena_alloc(&arena, SIZE_MAX));
    cr_expect_null(arena_strndup(&arena, "", SIZE_MAX));
    cr_expect_not_null(arena_array(&arena, 3, 7));
}

Test(arena, current_block_is_still_used_after_a_large_allocation)
{
    char *before = arena_alloc(&arena, 16);
    cr_assert_not_null(arena_alloc(&arena, 1020));
    char *after = arena_alloc(&arena, 16);

    cr_expect_eq(after, before + 16);
}

Test(arena, strings_are_copied_and_terminated)
{
    char text[] = "candidate";
    char *all = arena_strdup(&arena, text);
    char *part = arena_strndup(&arena, text, 5);

    text[0] = 'X';
    cr_expect_str_eq(all, "candidate");
    cr_expect_str_eq(part, "candi");
    cr_expect_str_eq(arena_strndup(&arena, NULL, 0), "");
    cr_expect_str_eq(arena_printf(&arena, "%s-%d", "step", 12), "step-12");
}

Test(arena, a_released_arena_is_empty_and_usable)
{
    cr_assert_not_null(arena_alloc(&arena, 5000));
    arena_release(&arena);

    cr_expect_eq(arena.used_bytes, 0);
    cr_expect_eq(arena.max_bytes, 1024 * 1024);
    cr_expect_not_null(arena_alloc(&arena, 5000));
}
