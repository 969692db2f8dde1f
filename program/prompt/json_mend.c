#include "program/prompt/json_mend.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/utf8.h"
#include "program/prompt/span.h"

enum {
    STRING_MAX = 8 << 20,
    NUMBER_BYTES = 40,
    LOOK_AHEAD = 256, // bytes of white space after a quote
};

// After a failure no more values are read.
struct mend {
    const char *start; // of the text
    struct span rest;
    bool words;
    int depth;
    bool failed;
    bool no_memory;
};

static json_t *read_value(struct mend *mend);

static json_t *fail(struct mend *mend)
{
    mend->failed = true;
    return NULL;
}

static json_t *checked(struct mend *mend, json_t *value)
{
    mend->no_memory = mend->no_memory || value == NULL;
    mend->failed = mend->failed || value == NULL;
    return value;
}

static char here(const struct mend *mend)
{
    return span_char(mend->rest, 0);
}

static void skip(struct mend *mend, size_t n)
{
    mend->rest = span_from(mend->rest, n);
}

// ---- white space and comments

// Returns the length of the white space, of any script, that text begins with.
static size_t blank_bytes(struct span text)
{
    return (size_t)(span_trim(text).at - text.at);
}

static void skip_comment(struct mend *mend)
{
    size_t end = span_find(mend->rest, 2, "*/");

    skip(mend, end < mend->rest.len ? end + 2 : end);
}

// Returns true for "# a comment", but not for #a_tag.
static bool is_hash_comment(struct span text)
{
    char next = span_char(text, 1);

    return span_char(text, 0) == '#' &&
           (next == ' ' || next == '\t' || next == '\n' || next == '\r');
}

// Skips white space and comments; returns true if there was a newline.
static bool skip_space(struct mend *mend)
{
    bool lines = false;

    for (;;) {
        struct span before = mend->rest;
        size_t n = blank_bytes(mend->rest);

        lines = lines || memchr(mend->rest.at, '\n', n) != NULL;
        skip(mend, n);
        if (span_starts(mend->rest, "//") || is_hash_comment(mend->rest))
            (void)span_line(&mend->rest);
        else if (span_starts(mend->rest, "/*"))
            skip_comment(mend);
        if (before.len == mend->rest.len)
            return lines;
        lines = lines || (mend->rest.len > 0 && mend->rest.at[-1] == '\n');
    }
}

// ---- strings

static const struct {
    const char *open;
    const char *close;
} quotes[] = {
    {"\"\"\"", "\"\"\""}, // Python's long quotes come before the others
    {"'''", "'''"},
    {"\"", "\""},
    {"'", "'"},
    {"`", "`"},
    {"\xE2\x80\x9C", "\xE2\x80\x9D"}, // typographic quotes
    {"\xE2\x80\x98", "\xE2\x80\x99"},
    {"\xE2\x80\x9E", "\xE2\x80\x9C"},
    {"\xC2\xAB", "\xC2\xBB"},
    {"\xE3\x80\x8C", "\xE3\x80\x8D"},
};
enum { QUOTES = sizeof quotes / sizeof quotes[0] };

static int quote_at(struct span text)
{
    for (int i = 0; i < QUOTES; i++) {
        if (span_starts(text, quotes[i].open))
            return i;
    }
    return -1;
}

// A quote closes its string if what follows could follow a string. Any other
// quote is part of the string: {'say': 'it's fine'}.
static bool is_closing(struct span after)
{
    struct span near =
        span_to(after, after.len < LOOK_AHEAD ? after.len : LOOK_AHEAD);
    size_t n = blank_bytes(near);
    bool line = memchr(after.at, '\n', n) != NULL;

    if (n == LOOK_AHEAD)
        return false;
    after = span_from(after, n);
    return after.len == 0 || strchr(",:}]", after.at[0]) != NULL ||
           span_starts(after, "\xEF\xBC\x8C") ||
           span_starts(after, "\xEF\xBC\x9A") || span_starts(after, "//") ||
           span_starts(after, "/*") || after.at[0] == '#' ||
           (n > 0 && quote_at(after) >= 0) || (line && after.at[0] != '\0');
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Returns the value of \uXXXX, or -1.
static int32_t read_hex(struct span text)
{
    int32_t value = 0;

    if (!span_starts(text, "\\u") || text.len < 6)
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_of(text.at[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool read_unicode(struct mend *mend, struct buf *out)
{
    int32_t code = read_hex(mend->rest);
    char bytes[4];

    if (code <= 0 || (code >= 0xDC00 && code <= 0xDFFF))
        return false;
    skip(mend, 6);
    if (code >= 0xD800 && code <= 0xDBFF) {
        int32_t low = read_hex(mend->rest);
        if (low < 0xDC00 || low > 0xDFFF)
            return false;
        skip(mend, 6);
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    buf_append(out, bytes, utf8_put(bytes, (uint32_t)code));
    return true;
}

// Whether a string has a backslash before a letter that means only itself, as
// in C:\Users or \alpha, and one that would be a control character, as in \new
// or \beta. In the same string the second may be a backslash too.
struct escapes {
    bool plain;
    bool control;
};

// `text` is what follows the backslash.
static void note_escape(struct escapes *escapes, bool plain, struct span text)
{
    char name = span_char(text, 0);

    if (plain)
        escapes->plain = escapes->plain || span_letter(name);
    else if (span_letter(name) && span_letter(span_char(text, 1)))
        escapes->control = true;
}

// A backslash before a character that JSON does not escape stands for itself:
// \(x\).
static bool read_escape(struct mend *mend, struct buf *out,
                        struct escapes *escapes)
{
    static const char names[] = "nrtbf\"'\\/`";
    static const char values[] = "\n\r\t\b\f\"'\\/`";
    char name = span_char(mend->rest, 1);
    const char *at = name == '\0' ? NULL : strchr(names, name);

    if (name == 'u')
        return read_unicode(mend, out);
    note_escape(escapes, at == NULL, span_from(mend->rest, 1));
    buf_putc(out, at == NULL ? '\\' : values[at - names]);
    skip(mend, at == NULL ? 1 : 2);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Returns true if, after the current quote, which does not close the string, we
// are inside a quotation within it. A quote between letters is an apostrophe
// and changes nothing.
static bool is_quoting(const struct mend *mend, size_t len, bool quoting)
{
    bool gap = is_blank(mend->rest.at[-1]);
    bool next = span_char(mend->rest, len) == '\0' ||
                is_blank(span_char(mend->rest, len));

    return gap == next ? quoting : gap;
}

// The quotes that are part of a string.
struct inner {
    size_t n;
    size_t last; // its position in the string
    bool twice;  // two were side by side
};

// Returns true if an inner quote is a mistake. A single quote at either end was
// doubled by mistake: ""Rome" or "Rome"". After a digit it means inches. Two
// side by side may mean one, or none, or the ends of two strings.
static bool is_stray(const struct inner *inner, const struct buf *text)
{
    bool first = inner->last == 0;
    bool last = inner->last + 1 == text->len;

    return inner->twice ||
           (inner->n == 1 && text->len > 1 &&
            (first || (last && !is_digit(text->data[text->len - 2]))));
}

// Reads up to the closing quote. Returns false if there is none, if it ends a
// quotation (are "apple" and "pear" two strings, or one?), or if backslashes
// may mean two things.
static bool read_text(struct mend *mend, const char *close, struct buf *out)
{
    size_t len = strlen(close);
    struct inner inner = {.n = 0};
    struct escapes escapes = {false, false};
    bool quoting = false;

    while (mend->rest.len > 0) {
        if (span_starts(mend->rest, close)) {
            if (is_closing(span_from(mend->rest, len))) {
                skip(mend, len);
                return !quoting && !is_stray(&inner, out) &&
                       !(escapes.plain && escapes.control);
            }
            quoting = is_quoting(mend, len, quoting);
            inner.twice =
                inner.twice ||
                (inner.n > 0 && inner.last + len == out->len &&
                 span_ends((struct span){out->data, out->len}, close));
            inner.n++;
            inner.last = out->len;
        }
        if (here(mend) == '\\') {
            if (!read_escape(mend, out, &escapes))
                return false;
            continue;
        }
        buf_putc(out, here(mend));
        skip(mend, 1);
    }
    return false;
}

// Reads a string with quotes; the caller frees out.
static bool read_quoted(struct mend *mend, struct buf *out)
{
    int row = quote_at(mend->rest);

    skip(mend, strlen(quotes[row].open));
    bool ok = read_text(mend, quotes[row].close, out) && !out->failed;
    mend->no_memory = mend->no_memory || out->no_memory;
    mend->failed = mend->failed || !ok;
    return ok;
}

static json_t *read_string(struct mend *mend)
{
    struct buf text = BUF_INIT(STRING_MAX);
    json_t *string = NULL;

    if (read_quoted(mend, &text))
        string = checked(mend,
                         json_stringn(text.len > 0 ? text.data : "", text.len));
    buf_release(&text);
    return string;
}

// ---- words and numbers

// Returns true for a full-width comma or colon, as used in Chinese and
// Japanese.
static bool is_wide_stop(struct span text)
{
    return span_starts(text, "\xEF\xBC\x8C") ||
           span_starts(text, "\xEF\xBC\x9A");
}

// Takes the text up to what ends a value without quotes.
static struct span take_word(struct mend *mend, const char *stops)
{
    size_t n = 0;

    while (n < mend->rest.len && strchr(stops, mend->rest.at[n]) == NULL) {
        struct span rest = span_from(mend->rest, n);
        if (n > 0 && mend->rest.at[n - 1] == ' ' &&
            (span_starts(rest, "//") || rest.at[0] == '#'))
            break;
        if (is_wide_stop(rest))
            break;
        n++;
    }
    struct span word = span_trim(span_to(mend->rest, n));
    skip(mend, n);
    return word;
}

static size_t count_digits(const char **at)
{
    size_t n = 0;

    for (; **at >= '0' && **at <= '9'; (*at)++)
        n++;
    return n;
}

// Reads 3, -3.5, 1e3, and also 03, +3, .5 and 5., which are not JSON. Returns
// false if word is not a number.
static bool read_number(struct mend *mend, struct span word, json_t **out)
{
    char text[NUMBER_BYTES];
    const char *at = text;

    if (word.len == 0 || word.len >= sizeof text)
        return false;
    memcpy(text, word.at, word.len);
    text[word.len] = '\0';
    at += *at == '-' || *at == '+';
    size_t digits = count_digits(&at);
    bool real = *at == '.';
    at += real;
    if (real)
        digits += count_digits(&at);
    if (digits > 0 && (*at == 'e' || *at == 'E')) {
        at++;
        at += *at == '-' || *at == '+';
        real = true;
        digits = count_digits(&at);
    }
    double value = strtod(text, NULL);
    if (digits == 0 || digits > 18 || *at != '\0' || !isfinite(value))
        return false;
    *out =
        checked(mend, real ? json_real(value)
                           : json_integer((json_int_t)strtoll(text, NULL, 10)));
    return true;
}

static const struct {
    const char *word;
    int value;
} literals[] = {{"true", 1}, {"false", 0}, {"null", -1}, {"none", -1}};

static json_t *read_literal(struct span word)
{
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        if (span_same(word, literals[i].word))
            return literals[i].value < 0 ? json_null()
                                         : json_boolean(literals[i].value);
    }
    return NULL;
}

// Returns true for the last digits of 1,000, which are not a number themselves.
static bool is_group(const struct mend *mend, struct span word)
{
    return word.len == 3 && word.at[0] == '0' && mend->start < word.at - 1 &&
           word.at[-1] == ',' && word.at[-2] >= '0' && word.at[-2] <= '9';
}

// Returns true for a word that lost one of its quotes, such as Ann'.
static bool is_half_quoted(struct span word)
{
    return span_starts(word, "'") || span_ends(word, "'") ||
           span_ends(word, "`");
}

// Reads a value without quotes. It must not contain quotes or brackets. A word
// at the end of the text may have been cut off.
static json_t *read_word(struct mend *mend)
{
    struct span word = take_word(mend, ",:}]{[\n\"\\");
    json_t *value = read_literal(word);

    if (value != NULL ||
        (!is_group(mend, word) && read_number(mend, word, &value)))
        return value;
    if (!mend->words || word.len == 0 || mend->rest.len == 0 ||
        is_group(mend, word) || is_half_quoted(word) ||
        span_same(word, "nan") || span_same(word, "undefined"))
        return fail(mend);
    return checked(mend, json_stringn(word.at, word.len));
}

// ---- lists and objects

// Returns true if a comma may be missing before what follows: between lines,
// and between two strings with a gap, unless one of them has swallowed the
// comma.
static bool may_lack_comma(const struct mend *mend, struct span before,
                           bool line)
{
    bool gap = before.len > mend->rest.len;

    return before.at[-2] != ',' &&
           (line || (gap && quote_at(mend->rest) >= 0 && before.at[-1] != ' '));
}

// Called after an item; returns true if another may follow. A comma at the end
// of the text means that an item is missing.
static bool has_more(struct mend *mend, char close)
{
    struct span before = mend->rest;
    bool line = skip_space(mend);
    bool comma = here(mend) == ',';
    bool wide = span_starts(mend->rest, "\xEF\xBC\x8C");

    if (comma || wide)
        skip(mend, comma ? 1 : 3);
    else if (mend->rest.len > 0 && here(mend) != close &&
             !may_lack_comma(mend, before, line))
        mend->failed = true;
    (void)skip_space(mend);
    mend->failed = mend->failed || ((comma || wide) && mend->rest.len == 0);
    if (mend->rest.len == 0 || mend->failed)
        return false;
    if (here(mend) != close)
        return true;
    skip(mend, 1);
    return false;
}

// Returns true if there is a first item. A bracket that ends the text is the
// start of a list, not an empty one.
static bool has_any(struct mend *mend, char close)
{
    skip(mend, 1);
    (void)skip_space(mend);
    mend->failed = mend->failed || mend->rest.len == 0;
    if (here(mend) != close)
        return !mend->failed;
    skip(mend, 1);
    return false;
}

static bool read_colon(struct mend *mend)
{
    (void)skip_space(mend);
    if (here(mend) == ':')
        skip(mend, 1);
    else if (span_starts(mend->rest, "\xEF\xBC\x9A"))
        skip(mend, 3);
    else
        mend->failed = true;
    (void)skip_space(mend);
    return !mend->failed;
}

// A key that contains what separates keys has run into the next one.
static bool is_key(const struct buf *key)
{
    for (size_t i = 0; i < key->len; i++) {
        if (key->data[i] != '\0' && strchr("{}\"\n", key->data[i]) != NULL)
            return false;
    }
    return true;
}

static bool read_key(struct mend *mend, struct buf *key)
{
    if (quote_at(mend->rest) >= 0) {
        bool ok = read_quoted(mend, key) && is_key(key);
        mend->failed = mend->failed || !ok;
        return ok && read_colon(mend);
    }
    struct span word = take_word(mend, ",:}]{[\n\"'\\ \t");
    buf_append(key, word.at, word.len);
    mend->failed = mend->failed || word.len == 0 || key->failed;
    return !mend->failed && read_colon(mend);
}

// The same key may come twice only with the same value.
static void set_member(struct mend *mend, json_t *object, const struct buf *key,
                       json_t *value)
{
    const char *name = key->len > 0 ? key->data : "";
    const json_t *before = json_object_get(object, name);

    if (before != NULL && !json_equal(before, value))
        mend->failed = true;
    else if (json_object_set(object, name, value) != 0)
        (void)checked(mend, NULL);
}

static json_t *read_object(struct mend *mend)
{
    json_t *object = checked(mend, json_object());
    bool more = has_any(mend, '}');

    while (more && !mend->failed) {
        struct buf key = BUF_INIT(STRING_MAX);
        json_t *value = read_key(mend, &key) ? read_value(mend) : NULL;

        if (value != NULL)
            set_member(mend, object, &key, value);
        mend->no_memory = mend->no_memory || key.no_memory;
        json_decref(value);
        buf_release(&key);
        more = !mend->failed && has_more(mend, '}');
    }
    return object;
}

static json_t *read_list(struct mend *mend)
{
    json_t *list = checked(mend, json_array());
    bool more = has_any(mend, ']');

    while (more && !mend->failed) {
        json_t *value = read_value(mend);

        if (value != NULL && json_array_append_new(list, value) != 0)
            (void)checked(mend, NULL);
        more = !mend->failed && has_more(mend, ']');
    }
    return list;
}

static json_t *read_value(struct mend *mend)
{
    json_t *value = NULL;

    if (++mend->depth > MEND_MAX_DEPTH || mend->rest.len == 0)
        (void)fail(mend);
    else if (here(mend) == '{')
        value = read_object(mend);
    else if (here(mend) == '[')
        value = read_list(mend);
    else if (quote_at(mend->rest) >= 0)
        value = read_string(mend);
    else
        value = read_word(mend);
    mend->depth--;
    if (mend->failed) {
        json_decref(value);
        value = NULL;
    }
    return value;
}

json_t *json_mend(const char *text, size_t len, bool words, size_t *used,
                  struct err *problem)
{
    struct mend mend = {.start = text, .rest = {text, len}, .words = words};
    json_t *value = NULL;

    if (here(&mend) == '{' || here(&mend) == '[')
        value = read_value(&mend);
    *used = len - mend.rest.len;
    if (mend.no_memory)
        err_nomem(problem, "a value");
    return value;
}
