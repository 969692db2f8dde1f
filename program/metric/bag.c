#include "program/metric/bag.h"

#include <stdlib.h>
#include <string.h>

#include "common/fold.h"
#include "common/text.h"
#include "common/utf8.h"
#include "common/words.h"

void bag_release(struct bag *bag)
{
    buf_release(&bag->text);
    free(bag->items);
    *bag = BAG_INIT;
}

enum { EM_DASH = 0x2014, BAR = 0x2015 }; // separate words without a space

// Returns the length of the white space, of any script, that text begins with,
// or of a dash that counts as white space; 0 if there is none.
static size_t space_at(const char *text, size_t len)
{
    uint32_t code = 0;

    if (((unsigned char)text[0] & 0x80) == 0)
        return text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r');
    size_t bytes = utf8_next(text, len, &code);
    return bytes > 0 && (text_is_space(code) || code == EM_DASH || code == BAR)
               ? bytes
               : 0;
}

static bool is_ascii_punctuation(char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') ||
           (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

// Returns the length of the punctuation, of any script, that text begins with;
// 0 if there is none.
static size_t punctuation_at(const char *text, size_t len)
{
    uint32_t code = 0;

    if (((unsigned char)text[0] & 0x80) == 0)
        return is_ascii_punctuation(text[0]);
    size_t bytes = utf8_next(text, len, &code);
    return bytes > 0 && words_is_punctuation(code) ? bytes : 0;
}

static bool is_article(const char *word)
{
    return strcmp(word, "a") == 0 || strcmp(word, "an") == 0 ||
           strcmp(word, "the") == 0;
}

// Completes the item that begins at start, or removes it.
static void end_item(struct bag *bag, size_t start, bool keep)
{
    if (bag->text.failed)
        return;
    if (keep) {
        buf_putc(&bag->text, '\0');
        bag->n++;
    } else if (bag->text.data != NULL) {
        bag->text.len = start;
        bag->text.data[start] = '\0';
    }
}

static bool is_digit_at(const char *word, size_t len, size_t i)
{
    return i < len && word[i] >= '0' && word[i] <= '9';
}

// Returns true for a character that makes a different number: the sign of -5,
// the point of 1.5, and what separates the digits of 1/2 and 7:30. A comma only
// groups thousands.
static bool is_of_number(const char *word, size_t len, size_t i)
{
    bool before = i > 0 && is_digit_at(word, len, i - 1);
    bool after = is_digit_at(word, len, i + 1);

    return after && word[i] != ',' &&
           (before || (i == 0 && (word[i] == '-' || word[i] == '.')));
}

// Returns the length of the character at i if it is a word by itself, else 0.
static size_t alone_at(const char *word, size_t len, size_t i)
{
    struct words words = {.text = word, .len = len, .at = i};
    struct word next;

    return ((unsigned char)word[i] & 0x80) != 0 && words_next(&words, &next) &&
                   next.alone && next.text == word + i
               ? next.len
               : 0;
}

static void end_word(struct bag *bag, size_t start)
{
    bool some = bag->text.len > start;

    end_item(bag, start, some && !is_article(bag->text.data + start));
}

// Adds the text between two spaces: one word, unless some of its characters are
// words by themselves.
static void add_word(struct bag *bag, const char *word, size_t len)
{
    size_t start = bag->text.len;
    size_t plain = 0; // where the bytes to keep begin

    for (size_t i = 0; i < len; i++) {
        size_t alone = alone_at(word, len, i);
        size_t mark =
            is_of_number(word, len, i) ? 0 : punctuation_at(word + i, len - i);
        if (alone == 0 && mark == 0)
            continue;
        fold_put(&bag->text, word + plain, i - plain);
        plain = i + (alone > 0 ? alone : mark);
        if (alone > 0) {
            end_word(bag, start);
            bag_add_item(bag, word + i, alone);
            start = bag->text.len;
        }
        i = plain - 1;
    }
    fold_put(&bag->text, word + plain, len - plain);
    end_word(bag, start);
}

void bag_add_words(struct bag *bag, const char *text, size_t len)
{
    size_t at = 0;

    while (at < len) {
        size_t start = at;
        size_t space = 0;

        while (at < len && (space = space_at(text + at, len - at)) == 0)
            at++;
        if (at > start)
            add_word(bag, text + start, at - start);
        at += space;
    }
}

void bag_add_item(struct bag *bag, const char *text, size_t len)
{
    size_t start = bag->text.len;

    text = text_trim_wide(text, len, &len);
    fold_put(&bag->text, text, len);
    end_item(bag, start, true);
}

static int compare_items(const void *a, const void *b)
{
    const char *const *one = a;
    const char *const *other = b;

    return strcmp(*one, *other);
}

static void drop_repeated(struct bag *bag)
{
    size_t kept = 0;

    for (size_t i = 0; i < bag->n; i++) {
        if (kept == 0 || strcmp(bag->items[kept - 1], bag->items[i]) != 0)
            bag->items[kept++] = bag->items[i];
    }
    bag->n = kept;
}

bool bag_sort(struct bag *bag, struct err *err)
{
    if (!buf_ok(&bag->text, "an answer to compare", err))
        return false;
    bag->items = calloc(bag->n + 1, sizeof *bag->items);
    if (bag->items == NULL) {
        err_nomem(err, "the words of an answer");
        return false;
    }
    const char *at = bag->text.data;
    for (size_t i = 0; i < bag->n; i++, at += strlen(at) + 1)
        bag->items[i] = at;
    qsort(bag->items, bag->n, sizeof *bag->items, compare_items);
    return true;
}

bool bag_sort_unique(struct bag *bag, struct err *err)
{
    if (!bag_sort(bag, err))
        return false;
    drop_repeated(bag);
    return true;
}

double bag_f1(const struct bag *a, const struct bag *b)
{
    size_t shared = 0;
    size_t i = 0;
    size_t j = 0;

    if (a->n + b->n == 0)
        return 1;
    while (i < a->n && j < b->n) {
        int order = strcmp(a->items[i], b->items[j]);
        if (order == 0)
            shared++;
        if (order <= 0)
            i++;
        if (order >= 0)
            j++;
    }
    return 2 * (double)shared / (double)(a->n + b->n);
}
