// buf: bytes that grow, up to a maximum that was set at birth.
//
// Failure is sticky: after an append that found no memory, or would pass the
// maximum, the buffer is `failed`, keeps what it had, and ignores all further
// appends. So a writer appends freely and asks buf_ok once at the end.
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
    char *data; // owned; NULL while nothing was appended
    size_t len; // bytes used, without the NUL
    size_t cap; // bytes allocated
    size_t max; // len never passes it
    bool failed;
    bool no_memory; // failed for want of memory, not for the maximum
};

#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_release(struct buf *buf); // frees; the maximum stays
void buf_clear(struct buf *buf);   // len 0, not failed; memory is kept

// Makes room in one step for so many more bytes that will be appended. Without
// memory nothing changes: the appends will notice.
void buf_expect(struct buf *buf, size_t len);

// What buf_append does when there is no room yet.
void buf_append_slowly(struct buf *buf, const void *data, size_t len);

// Inline: a call of a model is some 200 appends, most of them of a few bytes
// into room that is there.
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

// Appends text as a JSON string, quotes included; text is UTF-8. Bytes that
// are no UTF-8 become U+FFFD, so that the result is always valid JSON.
void buf_put_json(struct buf *buf, const char *text, size_t len);

// Appends "1,234,567".
void buf_put_number(struct buf *buf, int64_t n);

// True unless an append failed; else fills err with "WHAT is too long (over N
// bytes)" or no memory.
bool buf_ok(const struct buf *buf, const char *what, struct err *err);

// Hands the bytes over (the caller frees) and empties the buffer. Never NULL
// on a buffer that has not failed, except without memory.
char *buf_take(struct buf *buf);

#endif
