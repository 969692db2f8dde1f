#include "wire/shape.h"

#include <stdbool.h>
#include <stdint.h>

// What follows a head byte:
enum follows {
    FOLLOWS_BYTES, // `size` bytes
    FOLLOWS_SIZED, // a length in `size` bytes, then that many plus `extra`
    FOLLOWS_ARRAY, // a count in `size` bytes, then that many values
    FOLLOWS_MAP,   // a count in `size` bytes, then twice as many values
    FOLLOWS_NEVER, // not a MessagePack head
};

struct head {
    enum follows follows;
    uint8_t size;
    uint8_t extra;
};

// The heads 0xc0 to 0xdf. All others contain their own size.
static const struct head heads[32] = {
    {FOLLOWS_BYTES, 0, 0},  // c0 nil
    {FOLLOWS_NEVER, 0, 0},  // c1
    {FOLLOWS_BYTES, 0, 0},  // c2 false
    {FOLLOWS_BYTES, 0, 0},  // c3 true
    {FOLLOWS_SIZED, 1, 0},  // c4 bin 8
    {FOLLOWS_SIZED, 2, 0},  // c5 bin 16
    {FOLLOWS_SIZED, 4, 0},  // c6 bin 32
    {FOLLOWS_SIZED, 1, 1},  // c7 ext 8
    {FOLLOWS_SIZED, 2, 1},  // c8 ext 16
    {FOLLOWS_SIZED, 4, 1},  // c9 ext 32
    {FOLLOWS_BYTES, 4, 0},  // ca float 32
    {FOLLOWS_BYTES, 8, 0},  // cb float 64
    {FOLLOWS_BYTES, 1, 0},  // cc uint 8
    {FOLLOWS_BYTES, 2, 0},  // cd uint 16
    {FOLLOWS_BYTES, 4, 0},  // ce uint 32
    {FOLLOWS_BYTES, 8, 0},  // cf uint 64
    {FOLLOWS_BYTES, 1, 0},  // d0 int 8
    {FOLLOWS_BYTES, 2, 0},  // d1 int 16
    {FOLLOWS_BYTES, 4, 0},  // d2 int 32
    {FOLLOWS_BYTES, 8, 0},  // d3 int 64
    {FOLLOWS_BYTES, 2, 0},  // d4 fixext 1
    {FOLLOWS_BYTES, 3, 0},  // d5 fixext 2
    {FOLLOWS_BYTES, 5, 0},  // d6 fixext 4
    {FOLLOWS_BYTES, 9, 0},  // d7 fixext 8
    {FOLLOWS_BYTES, 17, 0}, // d8 fixext 16
    {FOLLOWS_SIZED, 1, 0},  // d9 str 8
    {FOLLOWS_SIZED, 2, 0},  // da str 16
    {FOLLOWS_SIZED, 4, 0},  // db str 32
    {FOLLOWS_ARRAY, 2, 0},  // dc array 16
    {FOLLOWS_ARRAY, 4, 0},  // dd array 32
    {FOLLOWS_MAP, 2, 0},    // de map 16
    {FOLLOWS_MAP, 4, 0},    // df map 32
};

struct walk {
    const uint8_t *at;
    size_t left;                    // bytes from `at` to the end
    uint32_t items;                 // values met so far
    uint32_t open[SHAPE_MAX_DEPTH]; // values that each level still needs
    size_t depth;
};

static bool skip(struct walk *walk, size_t bytes)
{
    if (bytes > walk->left)
        return false;
    walk->at += bytes;
    walk->left -= bytes;
    return true;
}

// Reads a big-endian number of `size` bytes, 0 to 4.
static bool take_number(struct walk *walk, size_t size, uint32_t *out)
{
    const uint8_t *bytes = walk->at;

    if (!skip(walk, size))
        return false;
    *out = 0;
    for (size_t i = 0; i < size; i++)
        *out = *out << 8 | bytes[i];
    return true;
}

static bool enter(struct walk *walk, uint32_t count, uint32_t values_each)
{
    if (walk->depth == SHAPE_MAX_DEPTH || count > SHAPE_MAX_ITEMS)
        return false;
    walk->open[walk->depth++] = count * values_each;
    return true;
}

static bool walk_long_head(struct walk *walk, const struct head *head)
{
    uint32_t number = 0;

    if (head->follows == FOLLOWS_NEVER)
        return false;
    if (head->follows == FOLLOWS_BYTES)
        return skip(walk, head->size);
    if (!take_number(walk, head->size, &number))
        return false;
    if (head->follows == FOLLOWS_SIZED)
        return skip(walk, (size_t)number + head->extra);
    return enter(walk, number, head->follows == FOLLOWS_MAP ? 2 : 1);
}

static bool walk_value(struct walk *walk)
{
    uint32_t head = 0;

    if (!take_number(walk, 1, &head) || ++walk->items > SHAPE_MAX_ITEMS)
        return false;
    if (head < 0x80 || head >= 0xe0)
        return true;
    if (head < 0x90)
        return enter(walk, head & 0x0f, 2);
    if (head < 0xa0)
        return enter(walk, head & 0x0f, 1);
    if (head < 0xc0)
        return skip(walk, head & 0x1f);
    return walk_long_head(walk, &heads[head - 0xc0]);
}

size_t shape_measure(const void *data, size_t len, struct err *err)
{
    struct walk walk = {.at = data, .left = len, .open = {1}, .depth = 1};

    while (walk.depth > 0) {
        if (walk.open[walk.depth - 1] == 0) {
            walk.depth--;
            continue;
        }
        walk.open[walk.depth - 1]--;
        if (!walk_value(&walk)) {
            err_set(err, ERR_PROTOCOL,
                    "no complete MessagePack value, or one that is too large, "
                    "near byte %zu of %zu",
                    len - walk.left, len);
            return 0;
        }
    }
    return len - walk.left;
}
