// buf: a growing byte buffer with a maximum that is fixed at the start.
//
// Failure is sticky: when an append runs out of memory or would exceed the
// maximum, the buffer becomes `failed`, keeps what it had, and ignores all
// further appends. So a writer appends freely and calls buf_ok once at the end.
//
// Invariant: data is NULL or NUL-terminated at data[len]; len < cap unless data
// is NULL; cap <= max + 1.

#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/err.h"

struct buf {
    char *data; // owned; NULL until the first append
    size_t len; // bytes used, without the NUL
    size_t cap; // bytes allocated
    size_t max; // len never exceeds this
    bool failed;
    bool no_memory; // failed because of memory, not the maximum
};

#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_release(struct buf *buf); // frees the bytes; keeps the maximum
void buf_clear(struct buf *buf);   // sets len 0, not failed; keeps the memory

// Makes room for len more bytes in one step, before they are appended. When out
// of memory nothing changes; the appends themselves will fail.
void buf_expect(struct buf *buf, size_t len);

// The slow path of buf_append: grows the buffer first.
void buf_append_slowly(struct buf *buf, const void *data, size_t len);

// Inline because one model call takes some 200 appends, most of them of a few
// bytes for which there is already room.
static inline void buf_append(struct buf *buf, const void *data, size_t len)
{
    if (buf->failed || len >= buf->cap - buf->len) {
        buf_append_slowly(buf, data, len);
        return;
    }
    if (len > 0) // data may be NULL
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

static inline void buf_putc(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

void buf_puts(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

// Appends text as a JSON string, including the quotes. The text should be
// UTF-8; invalid bytes become U+FFFD, so the result is always valid JSON.
void buf_put_json(struct buf *buf, const char *text, size_t len);

// Appends n with separators: "1,234,567".
void buf_put_number(struct buf *buf, int64_t n);

// Returns true unless an append failed. Otherwise fills err with "WHAT is too
// long (over N bytes)", or MiB, or an out-of-memory error.
bool buf_ok(const struct buf *buf, const char *what, struct err *err);

// Hands the bytes over to the caller, who frees them, and empties the buffer.
// For a buffer that has not failed, returns NULL only when out of memory.
char *buf_take(struct buf *buf);

#endif
