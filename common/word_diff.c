#include "common/word_diff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct diff_word {
    const char *text;
    size_t len;
};

struct diff_words {
    struct diff_word *items; // owned
    size_t n;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool words_split(const char *text, struct diff_words *out)
{
    size_t len = strlen(text);

    out->items = calloc(len + 1, sizeof *out->items);
    if (out->items == NULL)
        return false;
    while (*text != '\0') {
        size_t n = 0;

        while (text[n] != '\0' && !is_space(text[n]))
            n++;
        while (text[n] != '\0' && is_space(text[n]))
            n++;
        out->items[out->n++] = (struct diff_word){text, n};
        text += n;
    }
    return true;
}

// Ignores the space after a word, because the last word of a text has none.
static bool same(const struct diff_word *a, const struct diff_word *b)
{
    size_t a_len = a->len, b_len = b->len;

    while (a_len > 0 && is_space(a->text[a_len - 1]))
        a_len--;
    while (b_len > 0 && is_space(b->text[b_len - 1]))
        b_len--;
    return a_len == b_len && memcmp(a->text, b->text, a_len) == 0;
}

// --- pieces ---

// Consecutive words with the same change form one piece.
static void add(struct word_diff *diff, enum word_change change,
                const struct diff_word *word)
{
    struct word_piece *last = diff->n == 0 ? NULL : &diff->pieces[diff->n - 1];

    if (last != NULL && last->change == change &&
        last->text + last->len == word->text)
        last->len += word->len;
    else
        diff->pieces[diff->n++] =
            (struct word_piece){change, word->text, word->len};
}

// The part between the common beginning and the common end.
struct middle {
    const struct diff_word *a, *b;
    size_t n, m;
    uint16_t *lengths; // (n + 1) * (m + 1): common sequence from i, j on
};

static uint16_t *length_at(const struct middle *middle, size_t i, size_t j)
{
    return &middle->lengths[i * (middle->m + 1) + j];
}

static void fill_lengths(const struct middle *middle)
{
    for (size_t i = middle->n; i-- > 0;) {
        for (size_t j = middle->m; j-- > 0;) {
            uint16_t down = *length_at(middle, i + 1, j);
            uint16_t right = *length_at(middle, i, j + 1);

            if (same(&middle->a[i], &middle->b[j]))
                *length_at(middle, i, j) =
                    (uint16_t)(*length_at(middle, i + 1, j + 1) + 1);
            else
                *length_at(middle, i, j) = down > right ? down : right;
        }
    }
}

static void walk(const struct middle *middle, struct word_diff *diff)
{
    size_t i = 0, j = 0;

    while (i < middle->n && j < middle->m) {
        if (same(&middle->a[i], &middle->b[j])) {
            add(diff, WORD_SAME, &middle->b[j++]);
            i++;
        } else if (*length_at(middle, i + 1, j) >=
                   *length_at(middle, i, j + 1)) {
            add(diff, WORD_GONE, &middle->a[i++]);
        } else {
            add(diff, WORD_NEW, &middle->b[j++]);
        }
    }
    while (i < middle->n)
        add(diff, WORD_GONE, &middle->a[i++]);
    while (j < middle->m)
        add(diff, WORD_NEW, &middle->b[j++]);
}

// Between two kept pieces, moves what is gone before what is new.
static void gone_first(struct word_diff *diff)
{
    for (size_t i = 1; i < diff->n; i++) {
        struct word_piece *one = &diff->pieces[i - 1];
        struct word_piece swapped = *one;

        if (one->change != WORD_NEW || one[1].change != WORD_GONE)
            continue;
        one[0] = one[1];
        one[1] = swapped;
        i = i < 2 ? 0 : i - 2;
    }
}

// If there are too many words to compare, everything is gone and then new.
static bool compare(struct middle *middle, struct word_diff *diff)
{
    if (middle->n <= WORD_DIFF_MAX && middle->m <= WORD_DIFF_MAX) {
        middle->lengths =
            calloc((middle->n + 1) * (middle->m + 1), sizeof *middle->lengths);
        if (middle->lengths == NULL)
            return false;
        fill_lengths(middle);
        walk(middle, diff);
        free(middle->lengths);
        return true;
    }
    for (size_t i = 0; i < middle->n; i++)
        add(diff, WORD_GONE, &middle->a[i]);
    for (size_t j = 0; j < middle->m; j++)
        add(diff, WORD_NEW, &middle->b[j]);
    return true;
}

static bool make(const struct diff_words *a, const struct diff_words *b,
                 struct word_diff *diff)
{
    size_t least = a->n < b->n ? a->n : b->n;
    size_t head = 0, tail = 0;

    while (head < least && same(&a->items[head], &b->items[head]))
        head++;
    while (tail < least - head &&
           same(&a->items[a->n - 1 - tail], &b->items[b->n - 1 - tail]))
        tail++;
    struct middle middle = {.a = a->items + head,
                            .b = b->items + head,
                            .n = a->n - head - tail,
                            .m = b->n - head - tail};

    for (size_t i = 0; i < head; i++)
        add(diff, WORD_SAME, &b->items[i]);
    if (!compare(&middle, diff))
        return false;
    for (size_t i = b->n - tail; i < b->n; i++)
        add(diff, WORD_SAME, &b->items[i]);
    gone_first(diff);
    return true;
}

bool word_diff_make(const char *a, const char *b, struct word_diff *out,
                    struct err *err)
{
    struct diff_words before = {0}, after = {0};
    bool ok = words_split(a, &before) && words_split(b, &after);

    *out = (struct word_diff){0};
    if (ok)
        out->pieces = calloc(before.n + after.n + 1, sizeof *out->pieces);
    ok = ok && out->pieces != NULL && make(&before, &after, out);
    if (!ok)
        err_nomem(err, "a comparison of texts");
    free(before.items);
    free(after.items);
    return ok;
}

void word_diff_release(struct word_diff *diff)
{
    free(diff->pieces);
    *diff = (struct word_diff){0};
}
