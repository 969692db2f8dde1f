#include "common/utf8.h"

#include <stdbool.h>

#include <utf8proc.h>

// The sequences of RFC 3629 by their first byte: the length of the sequence,
// and the range of the second byte, which excludes overlong forms, surrogates
// and code points over U+10FFFF.
struct lead {
    unsigned char first;
    unsigned char last;
    unsigned char bytes;
    unsigned char second_min;
    unsigned char second_max;
};

static const struct lead leads[] = {
    {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F},
    {0xEE, 0xEF, 3, 0x80, 0xBF}, {0xF0, 0xF0, 4, 0x90, 0xBF},
    {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

static const struct lead *find_lead(unsigned char byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    }
    return NULL;
}

bool utf8_follows(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

size_t utf8_next(const char *text, size_t len, uint32_t *code)
{
    const unsigned char *in = (const unsigned char *)text;

    if (len == 0)
        return 0;
    if (in[0] < 0x80) {
        *code = in[0];
        return 1;
    }
    const struct lead *lead = find_lead(in[0]);
    if (lead == NULL || len < lead->bytes || in[1] < lead->second_min ||
        in[1] > lead->second_max)
        return 0;
    uint32_t value = in[0] & (0x7FU >> lead->bytes);
    for (size_t i = 1; i < lead->bytes; i++) {
        if (!utf8_follows(in[i]))
            return 0;
        value = value << 6 | (in[i] & 0x3FU);
    }
    *code = value;
    return lead->bytes;
}

size_t utf8_put(char out[4], uint32_t code)
{
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    for (size_t i = bytes - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)(marks[bytes] | code);
    return bytes;
}

size_t utf8_cut(const char *text, size_t len)
{
    // Goes back at most 3 bytes; in text that is not UTF-8, cuts where asked.
    for (size_t back = 0; back <= 3 && back <= len; back++) {
        if (!utf8_follows((unsigned char)text[len - back]))
            return len - back;
    }
    return len;
}

size_t utf8_columns(uint32_t code)
{
    int columns = utf8proc_charwidth((utf8proc_int32_t)code);

    return columns < 0 ? 1 : (size_t)columns;
}
