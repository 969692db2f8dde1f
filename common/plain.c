#include "common/plain.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

struct range {
    uint32_t first, last;
};

static const struct range controls[] = {
    {0x00, 0x1F},       // C0
    {0x7F, 0x9F},       // DEL and C1
    {0x061C, 0x061C},   // Arabic letter mark
    {0x200E, 0x200F},   // left-to-right and right-to-left marks
    {0x2028, 0x202E},   // separators, embeddings and overrides
    {0x2060, 0x206F},   // word joiner, isolates and deprecated formats
    {0xFEFF, 0xFEFF},   // byte order mark
    {0xFFF9, 0xFFFB},   // interlinear annotations
    {0xE0000, 0xE007F}, // tags
};

// Returns true for a code point that is shown as an escape, including '\n' and
// '\t'.
static bool is_control(uint32_t code)
{
    if (code >= 0x20 && code < 0x7F)
        return false;
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
        if (code <= controls[i].last)
            return code >= controls[i].first;
    return false;
}

// Returns how many bytes at the start of text are shown as they are.
static size_t plain_bytes(const char *text, size_t len)
{
    size_t at = 0;

    while (at < len) {
        uint32_t code;
        size_t n = utf8_next(text + at, len - at, &code);

        if (n == 0 || is_control(code))
            break;
        at += n;
    }
    return at;
}

// Writes one control character, or one byte that is not UTF-8, and returns its
// length.
static size_t put_visible(struct buf *out, const char *text, size_t len)
{
    uint32_t code = 0;
    size_t n = utf8_next(text, len, &code);

    if (n <= 1)
        buf_printf(out, "\\x%02x", (unsigned)(unsigned char)text[0]);
    else if (code > 0xFFFF)
        buf_printf(out, "\\U%08x", (unsigned)code);
    else
        buf_printf(out, "\\u%04x", (unsigned)code);
    return n == 0 ? 1 : n;
}

static bool is_blank(char c)
{
    return c == '\n' || c == '\t' || c == '\r';
}

void plain_put_line(struct buf *out, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t n = plain_bytes(text + at, len - at);

        buf_append(out, text + at, n);
        at += n;
        if (at < len && is_blank(text[at])) {
            buf_putc(out, ' ');
            at++;
        } else if (at < len) {
            at += put_visible(out, text + at, len - at);
        }
    }
}

void plain_put_text(struct buf *out, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t n = plain_bytes(text + at, len - at);

        buf_append(out, text + at, n);
        at += n;
        if (at + 1 < len && text[at] == '\r' && text[at + 1] == '\n') {
            at++;
        } else if (at < len && (text[at] == '\n' || text[at] == '\t')) {
            buf_putc(out, text[at++]);
        } else if (at < len) {
            at += put_visible(out, text + at, len - at);
        }
    }
}

// JSON writes code points beyond the first plane as two surrogates.
static void put_json_escape(struct buf *out, uint32_t code)
{
    if (code <= 0xFFFF) {
        buf_printf(out, "\\u%04x", (unsigned)code);
        return;
    }
    code -= 0x10000;
    buf_printf(out, "\\u%04x\\u%04x", (unsigned)(0xD800 + (code >> 10)),
               (unsigned)(0xDC00 + (code & 0x3FF)));
}

void plain_put_json(struct buf *out, const char *document, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t n = plain_bytes(document + at, len - at);
        uint32_t code = 0;

        buf_append(out, document + at, n);
        at += n;
        if (at == len)
            break;
        n = utf8_next(document + at, len - at, &code);
        if (n == 0 || is_blank(document[at]))
            buf_putc(out, n == 0 ? '?' : document[at]);
        else
            put_json_escape(out, code);
        at += n == 0 ? 1 : n;
    }
}

size_t plain_flatten(char *line, size_t len)
{
    size_t to = 0;

    for (size_t at = 0; at < len;) {
        uint32_t code = 0;
        size_t n = utf8_next(line + at, len - at, &code);

        if (n == 0 || is_control(code)) {
            line[to++] = is_blank(line[at]) ? ' ' : '?';
        } else {
            memmove(line + to, line + at, n);
            to += n;
        }
        at += n == 0 ? 1 : n;
    }
    return to;
}
