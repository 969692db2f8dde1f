#include "program/prompt/list_text.h"

#include <stdio.h>
#include <string.h>

enum {
    ITEM_MAX_BYTES = 40, // of an item in a list without quotes
    ITEM_MAX_WORDS = 4,
    TAB_BLANKS = 4,
    NESTED_BLANKS = 2, // " 9." above "10." is not an inner list
};

// --- lines ---

struct span list_text_skip_box(struct span item)
{
    if (item.len > 4 && item.at[0] == '[' && item.at[2] == ']' &&
        strchr(" xX", item.at[1]) != NULL && item.at[3] == ' ')
        return span_trim(span_from(item, 3));
    return item;
}

// Returns the length of "-", another bullet, or a number in a circle; 0 if
// none.
static size_t mark_bytes(struct span line)
{
    static const char *const marks[] = {
        "-",
        "*",
        "+",
        "\xE2\x80\xA2",
        "\xE2\x80\x93",
        "\xE2\x97\xA6",
        "\xE2\x96\xAA",
        "\xE2\x80\xA3",
        "\xC2\xB7",
        "\xE2\x97\x8F",
        "\xE2\x96\xA0",
    };

    for (size_t m = 0; m < sizeof marks / sizeof marks[0]; m++) {
        if (span_starts(line, marks[m]))
            return strlen(marks[m]);
    }
    bool circled = span_starts(line, "\xE2\x91") && line.len > 2 &&
                   (unsigned char)line.at[2] < 0xB4;
    return circled ? 3 : 0;
}

// Returns the length of "1.", "2)", "(3)", "a)" or "(b)"; 0 if none.
static size_t number_bytes(struct span line)
{
    size_t open = span_char(line, 0) == '(';
    struct span rest = span_from(line, open);
    size_t n = span_run(rest, "0123456789");
    bool letter = n == 0 && span_run(rest, "abcdefghij") == 1;
    char close = span_char(rest, n + letter);

    if (n + letter == 0 ||
        !(close == ')' || (close == '.' && n > 0 && open == 0)))
        return 0;
    return open + n + letter + 1;
}

bool list_text_bullet(struct span line, struct span *item)
{
    size_t number = number_bytes(line);
    size_t i = number > 0 ? number : mark_bytes(line);

    if (i == 0) {
        *item = line;
        return list_text_skip_box(line).at != line.at;
    }
    if (span_char(line, i) != ' ' && span_char(line, i) != '\t')
        return false;
    *item = span_trim(span_from(line, i));
    return true;
}

bool list_text_is_numbering(struct span text)
{
    long next = 1;

    while (text.len > 0) {
        struct span line = span_trim(span_line(&text));
        char number[24];

        if (line.len == 0)
            continue;
        (void)snprintf(number, sizeof number, "%ld", next++);
        if (line.len != strlen(number) + 1 || !span_starts(line, number) ||
            strchr(".)", line.at[line.len - 1]) == NULL)
            return false;
    }
    return next > 2;
}

bool list_text_is_ellipsis(struct span item)
{
    static const char *const words[] = {"...", "\xE2\x80\xA6", "etc", "etc.",
                                        "and so on"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (span_same(item, words[i]))
            return true;
    }
    return false;
}

struct span list_text_skip_lead(struct span text)
{
    struct span rest = text;
    struct span first = span_trim(span_line(&rest));

    return first.len > 0 && span_ends(first, ":") && span_trim(rest).len > 0 &&
                   list_text_are_bullets(rest)
               ? span_trim(rest)
               : text;
}

bool list_text_has_next_number(struct span line, struct span item)
{
    size_t open = span_char(line, 0) == '(';
    size_t i = open;
    int n = 0;

    for (;
         i < open + 4 && span_char(line, i) >= '0' && span_char(line, i) <= '9';
         i++)
        n = n * 10 + (line.at[i] - '0');
    if (i == open)
        return false;
    char next[24];
    (void)snprintf(next, sizeof next, " %.*s%d%c ", (int)open, "(", n + 1,
                   span_char(line, i));
    return span_find(item, 0, next) < item.len;
}

bool list_text_has_empty_box(struct span text)
{
    struct span item;

    while (text.len > 0) {
        struct span line = span_trim(span_line(&text));

        if (list_text_bullet(line, &item) &&
            list_text_skip_box(item).at != item.at && item.at[1] == ' ')
            return true;
    }
    return false;
}

static size_t indent_of(struct span line)
{
    size_t n = 0;

    for (size_t i = 0; i < line.len; i++) {
        if (line.at[i] == '\t')
            n += TAB_BLANKS;
        else if (line.at[i] == ' ')
            n++;
        else
            break;
    }
    return n;
}

bool list_text_is_nested(struct span text)
{
    size_t least = SIZE_MAX;
    size_t most = 0;

    (void)span_line(&text);
    while (text.len > 0) {
        struct span line = span_line(&text);
        size_t indent = indent_of(line);

        if (span_trim(line).len == 0)
            continue;
        least = indent < least ? indent : least;
        most = indent > most ? indent : most;
    }
    return least < most && most - least >= NESTED_BLANKS;
}

bool list_text_are_bullets(struct span text)
{
    struct span item;

    while (text.len > 0) {
        struct span line = span_trim(span_line(&text));
        if (line.len > 0 && !list_text_bullet(line, &item))
            return false;
    }
    return true;
}

// --- a row ---

// Returns true if the item has a word that belongs to a sentence rather than a
// list, or that excludes something.
static bool has_sentence_word(struct span item)
{
    static const char *const words[] = {
        "i",       "we",      "you",    "it",      "is",        "are",
        "was",     "were",    "and",    "or",      "there",     "which",
        "here",    "that",    "namely", "such",    "but",       "both",
        "found",   "because", "text",   "e.g.",    "including", "not",
        "neither", "nor",     "except", "without", "maybe",     "etc",
    };

    while (item.len > 0) {
        size_t n = span_find(item, 0, " ");
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (span_same(span_to(item, n), words[i]))
                return true;
        }
        item = span_from(item, n < item.len ? n + 1 : n);
    }
    return false;
}

// Returns true for an item that nobody would take for part of a sentence, or of
// a list written in another way: (apple, pear), **apple**, **pear**.
static bool is_plain_item(struct span item)
{
    size_t words = 1;
    int depth = 0;

    item = span_trim(item);
    for (size_t i = 0; i < item.len && depth >= 0; i++) {
        words += item.at[i] == ' ';
        depth += (item.at[i] == '(') - (item.at[i] == ')');
    }
    return item.len > 0 && item.len <= ITEM_MAX_BYTES && depth == 0 &&
           words <= ITEM_MAX_WORDS && span_find(item, 0, "**") == item.len &&
           span_find(item, 0, ": ") == item.len &&
           strchr(".!?:", item.at[item.len - 1]) == NULL &&
           !has_sentence_word(item);
}

bool list_text_is_quoted(struct span text)
{
    return span_starts(text, "\"") || span_starts(text, "'");
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Returns true if some commas may separate digits rather than items: 1,000,
// 2,000 or 0,5.
static bool has_doubtful_commas(const struct type *item, struct span text)
{
    size_t tight = 0;
    size_t loose = 0;
    bool groups = false;

    if (item->kind != TYPE_INT && item->kind != TYPE_FLOAT &&
        item->kind != TYPE_STR)
        return false;
    for (size_t i = 1; i < text.len; i++) {
        if (text.at[i] != ',')
            continue;
        bool digits =
            is_digit(text.at[i - 1]) && is_digit(span_char(text, i + 1));
        tight += digits;
        loose += !digits;
        groups = groups || (digits && is_digit(span_char(text, i + 2)) &&
                            is_digit(span_char(text, i + 3)));
    }
    return groups || (tight > 0 && loose > 0) ||
           (tight == 1 && item->kind == TYPE_FLOAT);
}

bool list_text_is_row(const struct type *type, struct span text)
{
    char part = span_find(text, 0, ";") < text.len ? ';' : ',';
    bool quoted = list_text_is_quoted(text);
    size_t n = 0;

    if (span_find(text, 0, "\n") < text.len ||
        span_find(text, 0, "[") < text.len ||
        span_find(text, 0, "{") < text.len ||
        (!quoted && part == ';' && span_find(text, 0, ",") < text.len) ||
        (part == ',' && has_doubtful_commas(type->item, text)))
        return false;
    while (text.len > 0) {
        const char *end = memchr(text.at, part, text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.at);

        if (!quoted && !is_plain_item(span_to(text, len)))
            return false;
        n++;
        text = span_from(text, len + (end != NULL));
    }
    return n > 1 || quoted || type->item->kind == TYPE_ENUM;
}

struct span list_text_drop_stop(const struct type *type, struct span text)
{
    return type->item->kind != TYPE_STR && span_ends(text, ".") &&
                   !span_ends(text, "..")
               ? span_to(text, text.len - 1)
               : text;
}

bool list_text_is_several(struct span text)
{
    return span_find(text, 0, "\n") == text.len &&
           (span_find(text, 0, ",") < text.len ||
            span_find(text, 0, ";") < text.len);
}
