#include "search/toolkit/prose.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/fold.h"
#include "common/json.h"
#include "common/text.h"

enum {
    LEAST_LETTERS = 3,
    QUOTED_BYTES = 40, // a shown text of this length is not repeated by chance
    FOLDED_MAX_BYTES = 1 << 21,
};

// Counts ASCII letters and everything that is not ASCII, since most scripts
// have no ASCII letters.
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

static bool has_words(const char *text)
{
    size_t letters = 0;

    for (; *text != '\0'; text++)
        letters += is_letter(*text);
    return letters >= LEAST_LETTERS;
}

// Returns true if the text has {name}, ${name}, <name> or [name], for a field
// of the prompt.
static bool has_placeholder(const char *text, const char *name)
{
    static const char pairs[][2] = {{'{', '}'}, {'<', '>'}, {'[', ']'}};
    size_t len = strlen(name);

    for (const char *at = strstr(text, name); at != NULL;
         at = strstr(at + 1, name))
        for (size_t i = 0; at > text && i < sizeof pairs / sizeof *pairs; i++)
            if (at[-1] == pairs[i][0] && at[len] == pairs[i][1])
                return true;
    return false;
}

// Returns true if the text is one pair of brackets around a name:
// "{instruction}".
static bool is_placeholder(const char *text)
{
    size_t len;
    const char *at = text_trim(text, strlen(text), &len);
    size_t inside = 0;

    if (len < 2 || strchr("{[<", at[0]) == NULL)
        return false;
    while (inside + 2 < len &&
           (is_letter(at[inside + 1]) || at[inside + 1] == '_'))
        inside++;
    return inside + 2 == len && strchr("}]>", at[len - 1]) != NULL;
}

static bool names_a_field(const char *text, const struct signature *signature)
{
    for (size_t i = 0; i < signature->n_inputs; i++)
        if (has_placeholder(text, signature->inputs[i].name))
            return true;
    for (size_t i = 0; i < signature->n_outputs; i++)
        if (has_placeholder(text, signature->outputs[i].name))
            return true;
    return false;
}

static bool has_markup(const char *text, const struct signature *signature)
{
    static const char *const marks[] = {"[[ ##", "[[##",    "## ]]",  "##]]",
                                        "<|im_", "<|start", "<|end",  "<|eot",
                                        "</s>",  "[INST]",  "[/INST]"};
    size_t len;
    const char *start = text_trim(text, strlen(text), &len);

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strstr(text, marks[i]) != NULL)
            return true;
    // The JSON object that should hold the text.
    for (size_t i = 0; start[0] == '{' && i < signature->n_outputs; i++)
        if (strstr(start, signature->outputs[i].name) != NULL)
            return true;
    return false;
}

// Folds the text, with white space as single blanks. Returns false when out of
// memory.
static bool fold(const char *text, struct buf *out)
{
    struct buf folded = BUF_INIT(FOLDED_MAX_BYTES);
    bool blank = false;

    fold_put(&folded, text, strlen(text));
    for (size_t i = 0; i < folded.len; i++) {
        if (strchr(" \t\r\n\v\f", folded.data[i]) != NULL) {
            blank = out->len > 0;
            continue;
        }
        if (blank)
            buf_putc(out, ' ');
        blank = false;
        buf_putc(out, folded.data[i]);
    }
    buf_puts(out, "");
    out->failed = out->failed || folded.failed;
    buf_release(&folded);
    return !out->failed && out->data != NULL;
}

bool prose_same(const char *a, const char *b)
{
    struct buf x = BUF_INIT(FOLDED_MAX_BYTES);
    struct buf y = BUF_INIT(FOLDED_MAX_BYTES);
    bool same = fold(a, &x) && fold(b, &y) && x.len == y.len &&
                memcmp(x.data, y.data, x.len) == 0;

    buf_release(&x);
    buf_release(&y);
    return same;
}

// Returns true if one of the two, both folded, is part of the other: a piece of
// what was shown, or all of it with something around it.
static bool repeats(const struct buf *text, const char *shown)
{
    struct buf other = BUF_INIT(FOLDED_MAX_BYTES);
    bool found = false;

    if (fold(shown, &other))
        found = (text->len < other.len && text->len >= QUOTED_BYTES / 2 &&
                 strstr(other.data, text->data) != NULL) ||
                (other.len >= QUOTED_BYTES && text->len > other.len &&
                 strstr(text->data, other.data) != NULL);
    buf_release(&other);
    return found;
}

static bool is_echo(const char *text, const struct step *asked,
                    const json_t *shown)
{
    struct buf folded = BUF_INIT(FOLDED_MAX_BYTES);
    bool found = false;
    const char *key;
    json_t *value;

    if (fold(text, &folded)) {
        found = repeats(&folded, asked->signature.instruction);
        json_object_foreach((json_t *)shown, key, value) {
            // The text to improve may well be kept and added to.
            bool basis = strcmp(key, PROSE_BASIS) == 0;

            if (!found && !basis && json_is_string(value))
                found = repeats(&folded, json_string_value(value));
        }
    }
    buf_release(&folded);
    return found;
}

const char *prose_fault(const char *text, const struct step *asked,
                        const json_t *shown)
{
    const struct signature *signature = &asked->signature;

    const char *basis = json_get_text(shown, PROSE_BASIS, "");

    if (prose_same(text, basis))
        return NULL; // of no use, but nothing is wrong with it
    if (!has_words(text))
        return "it has no words";
    if (is_placeholder(text) || names_a_field(text, signature))
        return "it is a placeholder of the prompt";
    if (has_markup(text, signature))
        return "it is markup of the prompt";
    if (is_echo(text, asked, shown))
        return "it repeats the prompt";
    return NULL;
}
