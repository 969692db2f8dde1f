#include "common/words.h"

#include <string.h>

#include <utf8proc.h>

#include "common/utf8.h"

enum sort { PARTS, LETTER, MARK, ALONE };

// Blocks of the scripts without spaces, and of pictographs, in order.
static const struct range {
    uint32_t first, last;
} alone[] = {
    {0x0E00, 0x0EFF},   // Thai, Lao
    {0x1000, 0x109F},   // Burmese
    {0x1100, 0x11FF},   // Hangul, letter by letter
    {0x1780, 0x17FF},   // Khmer
    {0x2190, 0x2BFF},   // symbols
    {0x3005, 0x318F},   // kana, bopomofo, Hangul letters
    {0x31A0, 0x4DBF},   // more of these, Han
    {0x4E00, 0xA4CF},   // Han, Yi
    {0xAC00, 0xD7FF},   // Hangul
    {0xF900, 0xFAFF},   // Han
    {0xFF66, 0xFFDC},   // halfwidth kana, Hangul
    {0x1F000, 0x1FAFF}, // pictographs
    {0x20000, 0x3FFFF}, // Han
};

static bool stands_alone(uint32_t code)
{
    size_t i = 0;

    while (i < sizeof alone / sizeof *alone && alone[i].last < code)
        i++;
    return i < sizeof alone / sizeof *alone && code >= alone[i].first;
}

static enum sort sort_of(uint32_t code)
{
    if (code < 0x80)
        return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
                       (code >= '0' && code <= '9')
                   ? LETTER
                   : PARTS;
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return stands_alone(code) ? ALONE : LETTER;
    case UTF8PROC_CATEGORY_SO:
        return stands_alone(code) ? ALONE : PARTS;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return MARK;
    default:
        return PARTS;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

size_t words_sentence_end(const char *text, size_t len)
{
    static const char *const wide[] = {"\u3002", "\uff01", "\uff1f", "\uff61"};

    if (len > 0 && (text[0] == '.' || text[0] == '!' || text[0] == '?'))
        return len == 1 || is_blank(text[1]);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        size_t bytes = strlen(wide[i]);

        if (len >= bytes && memcmp(text, wide[i], bytes) == 0)
            return bytes;
    }
    return 0;
}

bool words_is_punctuation(uint32_t code)
{
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
        return true;
    default:
        return false;
    }
}

// Returns the sort of the character at `at`, and its length; bytes that are not
// UTF-8 separate words.
static enum sort read(const struct words *words, size_t at, size_t *bytes)
{
    uint32_t code = 0;

    *bytes = utf8_next(words->text + at, words->len - at, &code);
    if (*bytes > 0)
        return sort_of(code);
    *bytes = 1;
    return PARTS;
}

static bool is_digit(const struct words *words, size_t at)
{
    return at < words->len && words->text[at] >= '0' && words->text[at] <= '9';
}

static bool is_decimal(const struct words *words, size_t at)
{
    return words->decimals && at > 0 && words->text[at] == '.' &&
           is_digit(words, at - 1) && is_digit(words, at + 1);
}

// Returns the end of the word that begins at `at`, including its marks.
static size_t end_of(const struct words *words, size_t at, bool one)
{
    size_t bytes = 0;

    (void)read(words, at, &bytes);
    for (at += bytes; at < words->len; at += bytes) {
        enum sort sort = read(words, at, &bytes);

        if (sort != MARK && (one || (sort != LETTER && !is_decimal(words, at))))
            break;
    }
    return at;
}

bool words_next(struct words *words, struct word *out)
{
    size_t bytes = 0;
    enum sort sort = PARTS;

    for (; words->at < words->len; words->at += bytes) {
        sort = read(words, words->at, &bytes);
        if (sort != PARTS)
            break;
    }
    if (words->at >= words->len)
        return false;
    size_t end = end_of(words, words->at, sort == ALONE);
    *out = (struct word){.text = words->text + words->at,
                         .len = end - words->at,
                         .alone = sort == ALONE};
    words->at = end;
    return true;
}

bool words_next_term(struct words *words, struct word *out)
{
    struct word next;

    while (words_next(words, out)) {
        struct words rest = *words;
        bool paired = words->paired;

        words->paired = out->alone && words_next(&rest, &next) && next.alone &&
                        next.text == out->text + out->len;
        if (words->paired)
            out->len += next.len;
        else if (paired && out->alone)
            continue; // it was the second one of a pair
        return true;
    }
    return false;
}

void words_put_spaced(const char *text, size_t len, struct buf *out)
{
    struct words words = {.text = text, .len = len};
    struct word word;

    for (bool first = true; words_next(&words, &word); first = false) {
        if (!first)
            buf_putc(out, ' ');
        buf_append(out, word.text, word.len);
    }
}
