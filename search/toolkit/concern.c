#include "search/toolkit/concern.h"

#include <string.h>

#include "common/buf.h"
#include "common/fold.h"
#include "common/words.h"
#include "search/toolkit/instruction.h"

enum { RARE = 4 }; // a word is rare if at most one row in this many has it

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & 0x80) != 0;
}

// Tells whether a value begins and ends with a character that is a word by
// itself, so that others may directly adjoin it (common/words.h).
static void find_edges(const char *value, size_t len, bool *begin, bool *end)
{
    struct words words = {.text = value, .len = len};
    struct word word;

    *begin = *end = false;
    while (words_next(&words, &word)) {
        *begin |= word.text == value && word.alone;
        *end = word.text + word.len == value + len && word.alone;
    }
}

// Returns true if the folded text contains the folded value as separate words.
static bool names(const char *text, const char *value)
{
    size_t len = strlen(value);
    const char *at = text;
    bool free_begin, free_end;

    find_edges(value, len, &free_begin, &free_end);
    while (len > 0 && (at = strstr(at, value)) != NULL) {
        if ((free_begin || at == text || !is_word_byte(at[-1])) &&
            (free_end || !is_word_byte(at[len])))
            return true;
        at++;
    }
    return false;
}

// Marks the rows whose value of a field the text names.
static bool mark_field(const struct class_field *field, size_t n_rows,
                       const char *text, bool *marks)
{
    struct buf value = BUF_INIT(INSTRUCTION_MAX_BYTES);
    bool ok = true;

    for (size_t v = 0; ok && v < field->n; v++) {
        buf_clear(&value);
        fold_put(&value, field->values[v], strlen(field->values[v]));
        ok = !value.no_memory;
        if (!ok || value.failed || value.len == 0 || !names(text, value.data))
            continue;
        for (size_t i = 0; i < n_rows; i++)
            marks[i] |= field->of_row[i] == (int)v;
    }
    buf_release(&value);
    return ok;
}

static bool any(const bool *marks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (marks[i])
            return true;
    return false;
}

bool concern_read(const struct corpus *corpus, size_t part,
                  const char *sentence, bool *marks, struct err *err)
{
    const struct classes *classes = corpus->covers[part];
    struct buf text = BUF_INIT(INSTRUCTION_MAX_BYTES);
    size_t n = corpus->rows.n;
    bool ok;

    memset(marks, 0, n * sizeof *marks);
    fold_put(&text, sentence, strlen(sentence));
    ok = !text.no_memory;
    for (size_t f = 0; ok && text.len > 0 && f < classes->n_fields; f++)
        ok = mark_field(&classes->fields[f], n, text.data, marks);
    if (ok && !any(marks, n))
        ok = lexicon_mark(corpus->lexicon, sentence, n / RARE, marks);
    if (ok && !any(marks, n))
        memset(marks, true, n * sizeof *marks);
    buf_release(&text);
    if (!ok)
        err_nomem(err, "which rows a sentence is about");
    return ok;
}
