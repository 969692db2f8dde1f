#include "program/prompt/dress.h"

#include <stdint.h>
#include <string.h>

#include <utf8proc.h>

#include "common/utf8.h"
#include "program/graph/denial.h"

bool dress_is_minus(struct span text)
{
    if (span_char(text, 0) != '-')
        return false;
    text = span_trim(span_from(text, 1));
    return text.len > 0 && text.at[0] >= '0' && text.at[0] <= '9';
}

struct pair {
    const char *open;
    const char *close;
};

// Quotes and emphasis, which are not part of the text inside them.
static const struct pair quotes[] = {
    {"\"", "\""},
    {"'", "'"},
    {"`", "`"},
    {"*", "*"},
    {"_", "_"},
    {"\xE2\x80\x9C", "\xE2\x80\x9D"}, // typographic quotes
    {"\xE2\x80\x9E", "\xE2\x80\x9C"},
    {"\xE2\x80\x9D", "\xE2\x80\x9D"},
    {"\xE2\x80\x98", "\xE2\x80\x99"},
    {"\xE2\x80\x9A", "\xE2\x80\x98"},
    {"\xC2\xAB", "\xC2\xBB"},
    {"\xC2\xBB", "\xC2\xAB"},
    {"\xE2\x80\xB9", "\xE2\x80\xBA"},
    {"\xE3\x80\x8C", "\xE3\x80\x8D"}, // CJK
    {"\xE3\x80\x8E", "\xE3\x80\x8F"},
};
enum { QUOTES = sizeof quotes / sizeof quotes[0] };

static const struct pair wraps[] = {
    {"[", "]"},
    {"(", ")"},
    {"<", ">"},
    {"{", "}"},
    {"$", "$"},
    {"\\boxed{", "}"},
    {"\\fbox{", "}"},
    {"\\text{", "}"},
    {"\\textbf{", "}"},
    {"\\textit{", "}"},
    {"\\texttt{", "}"},
    {"\\mathrm{", "}"},
    {"\\mathbf{", "}"},
    {"\\mathit{", "}"},
    {"\\emph{", "}"},
    {"\\(", "\\)"},
    {"\\[", "\\]"},
    {"\xE3\x80\x8A", "\xE3\x80\x8B"},
    {"\xE3\x80\x88", "\xE3\x80\x89"},
    {"\xE3\x80\x90", "\xE3\x80\x91"},
    {"\xEF\xBC\x88", "\xEF\xBC\x89"},
    {"\xEF\xBC\xBB", "\xEF\xBC\xBD"},
};

// What may come before a label (heads) or after it (tails).
static const char *const heads[] = {
    "> ",
    "- ",
    "* ",
    "+ ",
    "\xE2\x80\xA2 ",
    "*",
    "`",
    "\xE7\xAD\x94\xE6\xA1\x88\xE6\x98\xAF", // 答案是, 答案为, 选项, 选
    "\xE7\xAD\x94\xE6\xA1\x88\xE4\xB8\xBA",
    "\xE9\x80\x89\xE9\xA1\xB9",
    "\xE9\x80\x89",
};
static const char *const tails[] = {
    ".",
    ",",
    ";",
    ":",
    "!",
    "*",
    "`",
    "\xE3\x80\x82", // 。
    "\xEF\xBC\x8C",
    "\xEF\xBC\x9B", // ，；
    "\xEF\xBC\x9A",
    "\xEF\xBC\x81", // ：！
    "\xE3\x80\x81",
    "\xEF\xBC\x8E", // 、．
    "\xE2\x80\xA6",
    "\xD8\x9B", // … ؛
    "\xD8\x8C",
    "\xE0\xA5\xA4", // ، ।
};

// Returns true for the tags of text that was struck out.
static bool is_deleted(struct span text)
{
    return span_starts(text, "<del>") || span_starts(text, "<s>") ||
           span_starts(text, "<strike>");
}

// Removes a pair of tags: <label>B</label>
static bool unwrap_tag(struct span *text)
{
    size_t end = span_find(*text, 0, ">");

    if (span_char(*text, 0) != '<' || end == text->len || end < 2 ||
        is_deleted(*text))
        return false;
    size_t name = end - 1;
    size_t close = name + 3;
    if (text->len < end + 1 + close)
        return false;
    struct span tail = span_from(*text, text->len - close);
    if (!span_starts(tail, "</") || span_char(tail, close - 1) != '>' ||
        memcmp(tail.at + 2, text->at + 1, name) != 0)
        return false;
    *text = span_from(span_to(*text, text->len - close), end + 1);
    return true;
}

static bool take_pair(const struct pair *pair, struct span *text)
{
    size_t open = strlen(pair->open);
    size_t close = strlen(pair->close);

    if (text->len < open + close || !span_starts(*text, pair->open) ||
        !span_ends(*text, pair->close))
        return false;
    *text = span_from(span_to(*text, text->len - close), open);
    return true;
}

static bool take_any(const struct pair *pairs, size_t n, struct span *text)
{
    for (size_t i = 0; i < n; i++) {
        if (take_pair(&pairs[i], text))
            return true;
    }
    return false;
}

static bool unwrap(struct span *text)
{
    return take_any(quotes, QUOTES, text) ||
           take_any(wraps, sizeof wraps / sizeof wraps[0], text);
}

bool dress_unquote(struct span *text)
{
    for (size_t i = 0; i < QUOTES; i++) {
        struct span inner = *text;

        while (take_pair(&quotes[i], &inner)) {
        }
        if (inner.len == text->len || inner.len == 0)
            continue;
        if (span_find(inner, 0, quotes[i].close) < inner.len ||
            span_find(inner, 0, quotes[i].open) < inner.len)
            return false;
        *text = inner;
        return true;
    }
    return false;
}

bool dress_unwrap(struct span *text)
{
    static const char *const losses[] = {"(", "\xEF\xBC\x88"};

    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        if (span_starts(*text, losses[i]))
            return false;
    }
    return unwrap_tag(text) || unwrap(text);
}

static bool drop_tail(struct span *text)
{
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        if (span_ends(*text, tails[i])) {
            *text = span_to(*text, text->len - strlen(tails[i]));
            return true;
        }
    }
    if (span_ends(*text, ")") && span_find(*text, 0, "(") == text->len) {
        *text = span_to(*text, text->len - 1);
        return true;
    }
    return false;
}

// Returns the length of a heading's "### ", or of a list item's "1. " or "1) ".
static size_t mark_len(struct span text)
{
    size_t hashes = span_run(text, "#");
    size_t digits = span_run(text, "0123456789");
    char point = span_char(text, digits);
    size_t len = hashes > 0 && hashes <= 6 ? hashes
                 : digits > 0 && digits <= 3 && (point == '.' || point == ')')
                     ? digits + 1
                     : 0;

    return len > 0 && span_char(text, len) == ' ' ? len + 1 : 0;
}

static bool drop_head(struct span *text)
{
    size_t mark = mark_len(*text);

    if (dress_is_minus(*text))
        return false;
    if (mark > 0) {
        *text = span_from(*text, mark);
        return true;
    }
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        if (span_starts(*text, heads[i])) {
            *text = span_from(*text, strlen(heads[i]));
            return true;
        }
    }
    return false;
}

static bool is_symbol(uint32_t code)
{
    if (denial_is_sign(code))
        return false;
    return code == 0xFE0F || code == 0x200D ||
           (code >= 0x80 &&
            utf8proc_category((utf8proc_int32_t)code) == UTF8PROC_CATEGORY_SO);
}

// Drops an emoji before or after a label; it adds nothing.
static bool drop_symbol(struct span *text)
{
    uint32_t code = 0;
    size_t bytes = utf8_next(text->at, text->len, &code);

    if (bytes > 0 && is_symbol(code)) {
        *text = span_from(*text, bytes);
        return true;
    }
    size_t start = text->len == 0 ? 0 : utf8_cut(text->at, text->len - 1);
    bytes = utf8_next(text->at + start, text->len - start, &code);
    if (bytes == 0 || start + bytes != text->len || !is_symbol(code))
        return false;
    *text = span_to(*text, start);
    return true;
}

bool dress_take_off(struct span *text)
{
    return unwrap_tag(text) || unwrap(text) || drop_tail(text) ||
           drop_head(text) || drop_symbol(text);
}
