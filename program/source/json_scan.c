#include "program/source/json_scan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/json.h"

enum { KEY_MAX_BYTES = 4096, NUMBER_BYTES = 512 };

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t scan_space(const char *text, size_t len, size_t at)
{
    while (at < len && is_space(text[at]))
        at++;
    return at;
}

// Scans from the opening quote to after the closing one.
static bool scan_string(const char *text, size_t len, size_t at, size_t *end)
{
    for (at++; at < len; at++) {
        if (text[at] == '\\')
            at++;
        else if (text[at] == '"') {
            *end = at + 1;
            return true;
        }
    }
    return false;
}

// All kinds of brackets are counted alike: the parser tells them apart.
static bool scan_nested(const char *text, size_t len, size_t at, size_t *end)
{
    size_t depth = 0;

    while (at < len) {
        char c = text[at];
        if (c == '"') {
            if (!scan_string(text, len, at, &at))
                return false;
            continue;
        }
        at++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0) {
            *end = at;
            return true;
        }
    }
    return false;
}

static bool is_token(char c)
{
    return !is_space(c) && strchr(",:[]{}\"", c) == NULL;
}

bool scan_value(const char *text, size_t len, size_t at, size_t *end)
{
    if (at >= len)
        return false;
    if (text[at] == '"')
        return scan_string(text, len, at, end);
    if (text[at] == '{' || text[at] == '[')
        return scan_nested(text, len, at, end);
    size_t start = at;
    while (at < len && text[at] != '\0' && is_token(text[at]))
        at++;
    *end = at;
    return at > start;
}

bool scan_member(const char *text, size_t len, size_t *at,
                 struct scan_member *out)
{
    size_t end = 0;

    *at = scan_space(text, len, *at);
    if (*at < len && text[*at] == ',')
        *at = scan_space(text, len, *at + 1);
    if (*at >= len || text[*at] != '"' || !scan_string(text, len, *at, &end))
        return false;
    out->key = (struct scan_span){*at, end - *at};
    *at = scan_space(text, len, end);
    if (*at >= len || text[*at] != ':')
        return false;
    *at = scan_space(text, len, *at + 1);
    if (!scan_value(text, len, *at, &end))
        return false;
    out->value = (struct scan_span){*at, end - *at};
    *at = end;
    return true;
}

// Compares a key that is written with escapes, which Python uses for all
// letters that are not ASCII.
static bool escaped_key_is(const char *quoted, size_t len, const char *name)
{
    json_t *key = json_parse(quoted, len, KEY_MAX_BYTES, NULL);
    bool same = key != NULL && json_is_string(key) &&
                strcmp(json_string_value(key), name) == 0;

    json_decref(key);
    return same;
}

bool scan_key_is(const char *text, const struct scan_span *key,
                 const char *name)
{
    const char *quoted = text + key->at;

    if (memchr(quoted, '\\', key->len) != NULL)
        return escaped_key_is(quoted, key->len, name);
    return key->len == strlen(name) + 2 &&
           memcmp(quoted + 1, name, key->len - 2) == 0;
}

// Finds the member whose key is name[0..n).
static bool find_key(const char *text, size_t len, size_t at, const char *name,
                     size_t n, struct scan_member *out)
{
    char key[KEY_MAX_BYTES];

    if (at >= len || text[at] != '{' || n >= sizeof key)
        return false;
    memcpy(key, name, n);
    key[n] = '\0';
    at++;
    while (scan_member(text, len, &at, out))
        if (scan_key_is(text, &out->key, key))
            return true;
    return false;
}

bool scan_find(const char *text, size_t len, size_t at, const char *name,
               struct scan_member *out)
{
    const char *dot = strchr(name, '.');

    if (find_key(text, len, at, name, strlen(name), out))
        return true;
    if (dot == NULL ||
        !find_key(text, len, at, name, (size_t)(dot - name), out))
        return false;
    return scan_find(text, len, out->value.at, dot + 1, out);
}

// Returns the replacement for an odd token; NULL if it is not odd.
static const char *mended_word(const char *token, size_t len)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity", "-NaN"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == len && memcmp(words[i], token, len) == 0)
            return "null";
    return NULL;
}

// Returns true for a JSON number that does not fit in a 64-bit integer or a
// double.
static bool is_too_large(const char *token, size_t len)
{
    char text[NUMBER_BYTES];
    char *end = NULL;

    if (strspn(token, "-0123456789") == 0)
        return false;
    if (len >= sizeof text)
        return true;
    memcpy(text, token, len);
    text[len] = '\0';
    errno = 0;
    if (strpbrk(text, ".eE") == NULL) {
        (void)strtoll(text, &end, 10);
        return *end == '\0' && errno == ERANGE;
    }
    double value = strtod(text, &end);
    return *end == '\0' && isinf(value);
}

static void mend_token(const char *token, size_t len, struct buf *out,
                       bool *odd)
{
    const char *word = mended_word(token, len);

    if (word != NULL) {
        buf_puts(out, word);
    } else if (is_too_large(token, len)) {
        buf_putc(out, '"');
        buf_append(out, token, len);
        buf_putc(out, '"');
    } else {
        buf_append(out, token, len);
        return;
    }
    *odd = true;
}

// Copies the value of one member. *odd is the first odd token in it, if any.
static void mend_value(const char *text, const struct scan_span *value,
                       struct buf *out, struct scan_span *odd)
{
    size_t end = value->at + value->len;

    for (size_t at = value->at; at < end;) {
        bool found = false;
        size_t next = at + 1;
        if (text[at] == '"')
            (void)scan_string(text, end, at, &next);
        else if (is_token(text[at]))
            (void)scan_value(text, end, at, &next);
        if (is_token(text[at]) && next > at)
            mend_token(text + at, next - at, out, &found);
        else
            buf_append(out, text + at, next - at);
        if (found && odd->len == 0)
            *odd = (struct scan_span){at, next - at};
        at = next;
    }
}

bool scan_mend(const char *text, size_t len, struct buf *out,
               struct scan_odds *odds)
{
    struct scan_member member;
    size_t copied = 0;
    size_t at = scan_space(text, len, 0) + 1;

    while (scan_member(text, len, &at, &member)) {
        struct scan_span odd = {0};
        buf_append(out, text + copied, member.value.at - copied);
        mend_value(text, &member.value, out, &odd);
        copied = member.value.at + member.value.len;
        if (odd.len == 0)
            continue;
        if (odds->n == SCAN_MAX_ODD)
            return false;
        odds->items[odds->n++] = (struct scan_odd){member.key, odd};
    }
    buf_append(out, text + copied, len - copied);
    return true;
}
