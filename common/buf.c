#include "common/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

enum { FIRST_CAP = 256 };

void buf_release(struct buf *buf)
{
    free(buf->data);
    *buf = BUF_INIT(buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    buf->no_memory = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

// Returns the next capacity for need bytes: doubled, but not beyond max + 1.
static size_t grown_cap(const struct buf *buf, size_t need)
{
    size_t cap = buf->cap < FIRST_CAP ? FIRST_CAP : buf->cap;

    if (cap <= SIZE_MAX / 2)
        cap *= 2;
    if (cap - 1 > buf->max)
        cap = buf->max + 1;
    return cap < need ? need : cap;
}

// Makes room for len more bytes and the NUL. On failure returns false and marks
// the buffer failed.
static bool reserve(struct buf *buf, size_t len)
{
    if (buf->failed)
        return false;
    if (len > buf->max - buf->len || buf->len + len == SIZE_MAX) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->len + len + 1;
    if (need <= buf->cap)
        return true;

    size_t cap = grown_cap(buf, need);
    char *data = realloc(buf->data, cap);
    if (data == NULL) {
        buf->failed = true;
        buf->no_memory = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    buf->data[buf->len] = '\0';
    return true;
}

void buf_expect(struct buf *buf, size_t len)
{
    size_t cap = len < buf->max - buf->len ? buf->len + len + 1 : buf->max + 1;
    char *data = NULL;

    if (!buf->failed && cap > buf->cap)
        data = realloc(buf->data, cap);
    if (data == NULL)
        return;
    buf->data = data;
    buf->cap = cap;
    buf->data[buf->len] = '\0';
}

void buf_append_slowly(struct buf *buf, const void *data, size_t len)
{
    if (len == 0 || !reserve(buf, len))
        return;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;

    if (buf->failed)
        return;
    size_t room = buf->cap - buf->len; // 0 until there is data
    va_copy(again, args);
    int len =
        vsnprintf(room > 0 ? buf->data + buf->len : NULL, room, format, args);
    if (len < 0) {
        buf->failed = true;
    } else if ((size_t)len < room && (size_t)len <= buf->max - buf->len) {
        buf->len += (size_t)len;
    } else if (reserve(buf, (size_t)len)) {
        (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    if (buf->data != NULL)
        buf->data[buf->len] = '\0';
    va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

// How to write a byte inside a JSON string: 0 means as it is, MULTI means that
// it begins or breaks a UTF-8 sequence, HEX means \u00XX; anything else is the
// letter after the backslash.
enum { MULTI = 1, HEX = 2 };

#define ROW16(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x

static const char json_class[256] = {
    HEX,          HEX,          HEX,           HEX,
    HEX,          HEX,          HEX,           HEX,
    'b',          't',          'n',           HEX,
    'f',          'r',          HEX,           HEX,
    ROW16(HEX),   ['"'] = '"',  ['\\'] = '\\', [0x80] = ROW16(MULTI),
    ROW16(MULTI), ROW16(MULTI), ROW16(MULTI),  ROW16(MULTI),
    ROW16(MULTI), ROW16(MULTI), ROW16(MULTI),
};

static void put_escaped(struct buf *buf, unsigned char byte, char kind)
{
    static const char digits[] = "0123456789abcdef";

    if (kind == MULTI) {
        buf_append(buf, "\xEF\xBF\xBD", 3); // U+FFFD
    } else if (kind == HEX) {
        char text[6] = {
            '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
        buf_append(buf, text, sizeof text);
    } else {
        char text[2] = {'\\', kind};
        buf_append(buf, text, sizeof text);
    }
}

// Returns true if none of eight bytes is a control, a quote, a backslash or
// non-ASCII. A borrow may make a plain byte look like one of these, but never
// the reverse.
static bool is_plain_word(const char *text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, text, sizeof word);
    uint64_t quote = word ^ (ones * '"');
    uint64_t slash = word ^ (ones * '\\');
    uint64_t odd = word | (word - ones * ' ') | (quote - ones) | (slash - ones);
    return (odd & ones << 7) == 0;
}

// Returns the length in bytes of the character at the start of text, if it
// needs no escape: a plain byte or valid UTF-8. Otherwise returns 0.
static size_t plain_bytes(const char *text, size_t len)
{
    char kind = json_class[(unsigned char)text[0]];
    uint32_t code = 0;

    return kind == MULTI ? utf8_next(text, len, &code) : kind == 0;
}

// Returns how many bytes from `at` on need no escape. If a word is not plain,
// the reason is most likely in its eight bytes, so they are checked one by one.
static size_t plain_run(const char *text, size_t at, size_t len)
{
    const size_t start = at;

    while (at < len) {
        size_t end = at + sizeof(uint64_t);

        if (end <= len && is_plain_word(text + at)) {
            at = end;
            continue;
        }
        while (at < len && at < end) {
            size_t bytes = plain_bytes(text + at, len - at);

            if (bytes == 0)
                return at - start;
            at += bytes;
        }
    }
    return at - start;
}

// Checks eight plain bytes at a time, otherwise one table lookup per byte, and
// appends a whole run at once.
void buf_put_json(struct buf *buf, const char *text, size_t len)
{
    size_t at = 0;

    buf_putc(buf, '"');
    while (at < len && !buf->failed) {
        size_t run = plain_run(text, at, len);

        buf_append(buf, text + at, run);
        at += run;
        if (at < len) {
            unsigned char byte = (unsigned char)text[at++];
            put_escaped(buf, byte, json_class[byte]);
        }
    }
    buf_putc(buf, '"');
}

void buf_put_number(struct buf *buf, int64_t n)
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%" PRId64, n);

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
            buf_putc(buf, ',');
        buf_putc(buf, digits[i]);
    }
}

bool buf_ok(const struct buf *buf, const char *what, struct err *err)
{
    const bool in_mib = buf->max >= 1 << 20 && buf->max % (1 << 20) == 0;

    if (!buf->failed)
        return true;
    if (buf->no_memory)
        err_nomem(err, what);
    else
        err_set(err, ERR_LIMIT, "%s is too long (over %zu %s)", what,
                in_mib ? buf->max >> 20 : buf->max, in_mib ? "MiB" : "bytes");
    return false;
}

char *buf_take(struct buf *buf)
{
    char *data = NULL;

    if (!buf->failed) {
        data = buf->data != NULL ? buf->data : calloc(1, 1);
        buf->data = NULL;
    }
    buf_release(buf);
    return data;
}
