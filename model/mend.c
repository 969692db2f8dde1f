#include "model/mend.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

enum { ESCAPE_LEN = 6 }; // \uXXXX

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c | 0x20);

    return at == NULL ? -1 : (int)(at - digits);
}

// Returns the value of \uXXXX at the start of text, or -1.
static int32_t read_escape(const char *text, size_t len)
{
    int32_t value = 0;

    if (len < ESCAPE_LEN || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (size_t i = 2; i < ESCAPE_LEN; i++) {
        int digit = hex_value(text[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool is_between(int32_t value, int32_t low, int32_t high)
{
    return value >= low && value <= high;
}

// Appends one escape; returns its length in text.
static size_t put_escape(struct buf *out, const char *text, size_t len)
{
    int32_t value = read_escape(text, len);
    size_t bytes = value < 0 ? 2 : ESCAPE_LEN;

    if (bytes > len)
        bytes = len;
    if (is_between(value, 0xD800, 0xDBFF) &&
        is_between(read_escape(text + ESCAPE_LEN, len - ESCAPE_LEN), 0xDC00,
                   0xDFFF))
        bytes = 2 * ESCAPE_LEN;
    else if (value == 0 || is_between(value, 0xD800, 0xDFFF)) {
        buf_puts(out, "\\ufffd");
        return bytes;
    }
    buf_append(out, text, bytes);
    return bytes;
}

// Returns the length of a number at the start of text that JSON cannot express;
// 0 if there is none.
static size_t odd_number(const char *text, size_t len)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity", "-NaN"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);

        if (len >= n && memcmp(text, words[i], n) == 0)
            return n;
    }
    return 0;
}

void mend_json(struct buf *out, const char *text, size_t len)
{
    bool in_string = false;

    for (size_t at = 0; at < len;) {
        uint32_t code = 0;
        size_t bytes = utf8_next(text + at, len - at, &code);
        size_t odd = in_string ? 0 : odd_number(text + at, len - at);

        in_string = in_string != (code == '"');
        if (odd > 0) {
            buf_puts(out, "null");
            at += odd;
        } else if (bytes == 0) {
            buf_puts(out, "\xEF\xBF\xBD");
            at++;
        } else if (code == '\\') {
            at += put_escape(out, text + at, len - at);
        } else {
            buf_append(out, text + at, bytes);
            at += bytes;
        }
    }
}
