#include "program/prompt/literal.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 64 };

static bool is_number_char(char c)
{
    return c != '\0' && strchr("0123456789+-.eE", c) != NULL;
}

static bool is_word_char(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
}

static bool is_same(struct span text, const json_t *number)
{
    char copy[NUMBER_BYTES];
    char *end = copy;

    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    bool real = strpbrk(copy, ".eE") != NULL;
    if (real != json_is_real(number))
        return false;
    bool same = real ? strtod(copy, &end) == json_real_value(number)
                     : strtoll(copy, &end, 10) == json_integer_value(number);
    return same && *end == '\0';
}

// Returns the number-like piece that text begins with; empty if there is none.
static struct span piece_at(struct span text)
{
    size_t n = 0;

    while (is_number_char(span_char(text, n)))
        n++;
    return span_to(text, is_word_char(span_char(text, n)) ? 0 : n);
}

// Scans text, with or without what is between double quotes.
static bool scan(struct span text, bool strings, const json_t *number,
                 struct span *out)
{
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        if (!strings && text.at[i] == '"')
            quoted = !quoted;
        else if (quoted && text.at[i] == '\\')
            i++;
        if (quoted || !is_number_char(text.at[i]) ||
            (i > 0 &&
             (is_word_char(text.at[i - 1]) || is_number_char(text.at[i - 1]))))
            continue;
        struct span piece = piece_at(span_from(text, i));
        if (!is_same(piece, number))
            continue;
        if (out->at != NULL && !span_equal(*out, piece))
            return false;
        *out = piece;
    }
    return true;
}

bool literal_find(struct span text, const json_t *number, struct span *out)
{
    *out = (struct span){NULL, 0};
    return scan(text, false, number, out) &&
           (out->at != NULL || scan(text, true, number, out));
}
