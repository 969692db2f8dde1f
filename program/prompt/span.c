#include "program/prompt/span.h"

#include <string.h>

#include "common/fold.h"
#include "common/text.h"

enum { WORD_MAX = 64 };

// Returns true for a visible ASCII character, which never has to be trimmed.
static bool is_visible(char c)
{
    return c > ' ' && c < 0x7f;
}

struct span span_trim(struct span span)
{
    struct span inner = {0};

    if (span.len > 0 && is_visible(span.at[0]) &&
        is_visible(span.at[span.len - 1]))
        return span;
    inner.at = text_trim_wide(span.at, span.len, &inner.len);
    return inner;
}

bool span_is(struct span span, const char *text)
{
    return strlen(text) == span.len && memcmp(span.at, text, span.len) == 0;
}

bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool span_same(struct span span, const char *word)
{
    char text[WORD_MAX];

    if (span.len >= sizeof text)
        return false;
    memcpy(text, span.at, span.len);
    text[span.len] = '\0';
    return fold_same(text, word);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_bytes(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (lower(a[i]) != lower(b[i]))
            return false;
    }
    return true;
}

bool span_starts(struct span span, const char *text)
{
    size_t len = strlen(text);

    return span.len >= len && same_bytes(span.at, text, len);
}

bool span_ends(struct span span, const char *text)
{
    size_t len = strlen(text);

    return span.len >= len && same_bytes(span.at + span.len - len, text, len);
}

size_t span_find(struct span span, size_t from, const char *text)
{
    while (from < span.len) {
        const char *at = memchr(span.at + from, text[0], span.len - from);
        if (at == NULL)
            break;
        from = (size_t)(at - span.at);
        if (span_starts(span_from(span, from), text))
            return from;
        from++;
    }
    return span.len;
}

struct span span_line(struct span *rest)
{
    const char *end = memchr(rest->at, '\n', rest->len);
    struct span line = *rest;

    if (end != NULL)
        line.len = (size_t)(end - rest->at);
    *rest = span_from(*rest, line.len + (end != NULL));
    return line;
}

size_t span_run(struct span span, const char *set)
{
    size_t n = 0;

    while (n < span.len && span.at[n] != '\0' &&
           strchr(set, span.at[n]) != NULL)
        n++;
    return n;
}

size_t span_count(struct span span, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < span.len; i++)
        n += span.at[i] == c;
    return n;
}
