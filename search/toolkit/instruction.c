#include "search/toolkit/instruction.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/utf8.h"
#include "common/words.h"

struct slice {
    const char *at;
    size_t len;
};

static struct slice trim(struct slice text)
{
    struct slice out = {0};
    out.at = text_trim(text.at, text.len, &out.len);
    return out;
}

static bool starts_with(struct slice text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && memcmp(text.at, word, len) == 0;
}

static bool ends_with(struct slice text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && memcmp(text.at + text.len - len, word, len) == 0;
}

static bool holds(struct slice text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp(text.at + i, word, len) == 0)
            return true;
    }
    return false;
}

static struct slice inside(struct slice text, size_t front, size_t back)
{
    return trim((struct slice){text.at + front, text.len - front - back});
}

// Strips ```lang NEWLINE text ``` around the whole, if there is no fence
// inside.
static struct slice strip_fence(struct slice text)
{
    if (text.len < 7 || !starts_with(text, "```") || !ends_with(text, "```"))
        return text;
    const char *line = memchr(text.at, '\n', text.len);
    if (line == NULL)
        return text;
    struct slice inner = inside(text, (size_t)(line - text.at) + 1, 3);
    return holds(inner, "```") ? text : inner;
}

static struct slice strip_quotes(struct slice text)
{
    static const char *const QUOTES[][2] = {
        {"\"", "\""}, {"'", "'"}, {"`", "`"}, {"\u201c", "\u201d"}};

    for (size_t i = 0; i < sizeof QUOTES / sizeof *QUOTES; i++) {
        size_t front = strlen(QUOTES[i][0]);
        size_t back = strlen(QUOTES[i][1]);
        if (text.len < front + back || !starts_with(text, QUOTES[i][0]) ||
            !ends_with(text, QUOTES[i][1]))
            continue;
        struct slice inner = inside(text, front, back);
        if (!holds(inner, QUOTES[i][0]) && !holds(inner, QUOTES[i][1]))
            return inner;
    }
    return text;
}

static size_t skip_any(struct slice text, size_t at, const char *these)
{
    while (at < text.len && strchr(these, text.at[at]) != NULL)
        at++;
    return at;
}

static bool same_letters(const char *text, const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != word[i])
            return false;
    }
    return true;
}

// Strips "Instruction:", "**Proposed instruction:**", "## New instruction:". It
// knows only these words, since a colon may well belong to the instruction
// itself.
static struct slice strip_label(struct slice text)
{
    static const char *const LABELS[] = {
        "proposed instruction", "proposed_instruction", "new instruction",
        "improved instruction", "instructions",         "instruction"};
    size_t start = skip_any(text, 0, "*#_ ");

    for (size_t i = 0; i < sizeof LABELS / sizeof *LABELS; i++) {
        size_t len = strlen(LABELS[i]);
        if (text.len - start < len ||
            !same_letters(text.at + start, LABELS[i], len))
            continue;
        size_t colon = skip_any(text, start + len, "*_ ");
        if (colon >= text.len || text.at[colon] != ':')
            continue;
        bool marked = start > 0 && text.at[0] == '*';
        size_t end = skip_any(text, colon + 1, marked ? "*_ " : " ");
        return inside(text, end, 0);
    }
    return text;
}

// Cuts at the end of the last sentence or line that fits.
static struct slice cut_long(struct slice text)
{
    if (text.len <= INSTRUCTION_MAX_BYTES)
        return text;
    size_t end = utf8_cut(text.at, INSTRUCTION_MAX_BYTES);
    for (size_t i = end; i > INSTRUCTION_MAX_BYTES / 2; i--) {
        const char *at = text.at + i - 1;
        size_t stop =
            *at == '\n'
                ? 1
                : words_sentence_end(at, text.len - (size_t)(at - text.at));

        if (stop > 0 && i - 1 + stop <= end) {
            end = i - 1 + stop;
            break;
        }
    }
    return trim((struct slice){text.at, end});
}

char *instruction_clean(const char *text)
{
    struct slice rest = trim((struct slice){text, strlen(text)});

    for (;;) {
        struct slice last = rest;
        rest = strip_quotes(strip_label(strip_fence(rest)));
        if (rest.len == last.len)
            break;
    }
    rest = cut_long(rest);
    char *copy = malloc(rest.len + 1);
    if (copy != NULL) {
        memcpy(copy, rest.at, rest.len);
        copy[rest.len] = '\0';
    }
    return copy;
}
