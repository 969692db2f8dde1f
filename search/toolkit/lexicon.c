#include "search/toolkit/lexicon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/fold.h"
#include "common/text.h"
#include "common/utf8.h"
#include "common/words.h"
#include "program/graph/type.h"
#include "program/graph/type_form.h"

enum {
    ROW_BYTES = 1 << 20,
    WORD_BYTES = 40,   // longer ones are cut
    WORDS_A_ROW = 400, // further ones are not read
    SEVERAL = 4,       // rows that make a group large enough for ONCE
};

static const double ONCE = 0.5; // for a word of only one row of several

struct known_word {
    char *text;  // owned, folded
    size_t rows; // that contain it
    double weight;
};

// A word of a row.
struct posting {
    size_t word; // index
    double weight;
};

struct weighted_words {
    struct posting *postings; // owned, by word; scaled to length 1
    size_t n;
};

struct lexicon {
    struct known_word *words; // by text
    size_t n_words, cap_words;
    size_t *slots; // hash table of word index + 1; 0 is free
    size_t n_slots;
    struct weighted_words *bags; // one per row
    size_t n;
};

void lexicon_free(struct lexicon *lexicon)
{
    if (lexicon == NULL)
        return;
    for (size_t i = 0; i < lexicon->n_words; i++)
        free(lexicon->words[i].text);
    for (size_t i = 0; lexicon->bags != NULL && i < lexicon->n; i++)
        free(lexicon->bags[i].postings);
    free(lexicon->words);
    free(lexicon->slots);
    free(lexicon->bags);
    free(lexicon);
}

// --- words

static size_t hash_bytes(const char *text, size_t len)
{
    size_t hash = 1469598103934665603u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash ^ hash >> 29;
}

static bool grow_slots(struct lexicon *lexicon)
{
    size_t n = lexicon->n_slots == 0 ? 1024 : lexicon->n_slots * 2;
    size_t *slots = calloc(n, sizeof *slots);

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < lexicon->n_words; i++) {
        const char *text = lexicon->words[i].text;
        size_t at = hash_bytes(text, strlen(text)) % n;

        while (slots[at] != 0)
            at = (at + 1) % n;
        slots[at] = i + 1;
    }
    free(lexicon->slots);
    lexicon->slots = slots;
    lexicon->n_slots = n;
    return true;
}

static bool add_word(struct lexicon *lexicon, const char *text, size_t len)
{
    if (lexicon->n_words == lexicon->cap_words) {
        size_t cap = lexicon->cap_words == 0 ? 512 : lexicon->cap_words * 2;
        struct known_word *words =
            realloc(lexicon->words, cap * sizeof *lexicon->words);

        if (words == NULL)
            return false;
        lexicon->words = words;
        lexicon->cap_words = cap;
    }
    char *copy = malloc(len + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    lexicon->words[lexicon->n_words++] = (struct known_word){.text = copy};
    return true;
}

// Returns the slot of a word, or a free one if the word is new.
static size_t find_slot(const struct lexicon *lexicon, const char *text,
                        size_t len)
{
    size_t at = hash_bytes(text, len) % lexicon->n_slots;

    for (; lexicon->slots[at] != 0; at = (at + 1) % lexicon->n_slots) {
        const char *word = lexicon->words[lexicon->slots[at] - 1].text;

        if (strncmp(word, text, len) == 0 && word[len] == '\0')
            break;
    }
    return at;
}

// Finds the index of a word and adds it if it is new. Returns false when out of
// memory.
static bool find_word(struct lexicon *lexicon, const char *text, size_t len,
                      size_t *out)
{
    size_t at;

    if (lexicon->n_words * 2 >= lexicon->n_slots && !grow_slots(lexicon))
        return false;
    at = find_slot(lexicon, text, len);
    if (lexicon->slots[at] != 0) {
        *out = lexicon->slots[at] - 1;
        return true;
    }
    if (!add_word(lexicon, text, len))
        return false;
    lexicon->slots[at] = lexicon->n_words;
    *out = lexicon->n_words - 1;
    return true;
}

static bool next_word(struct words *words, struct word *out)
{
    if (!words_next(words, out))
        return false;
    if (out->len > WORD_BYTES)
        out->len = utf8_cut(out->text, WORD_BYTES);
    return true;
}

static int compare_postings(const void *a, const void *b)
{
    const struct posting *x = a;
    const struct posting *y = b;

    return (x->word > y->word) - (x->word < y->word);
}

// Sorts the postings and removes duplicates.
static void tidy(struct lexicon *lexicon, struct weighted_words *bag)
{
    size_t kept = 0;

    if (bag->n > 0)
        qsort(bag->postings, bag->n, sizeof *bag->postings, compare_postings);
    for (size_t i = 0; i < bag->n; i++) {
        if (kept > 0 && bag->postings[kept - 1].word == bag->postings[i].word)
            continue;
        bag->postings[kept++] = bag->postings[i];
        lexicon->words[bag->postings[i].word].rows++;
    }
    bag->n = kept;
}

static bool read_bag(struct lexicon *lexicon, const struct buf *text,
                     struct weighted_words *bag)
{
    struct words words = {.text = text->data, .len = text->len};
    struct word word;

    bag->postings = calloc(WORDS_A_ROW, sizeof *bag->postings);
    if (bag->postings == NULL)
        return false;
    while (bag->n < WORDS_A_ROW && next_word(&words, &word)) {
        if (!find_word(lexicon, word.text, word.len,
                       &bag->postings[bag->n].word))
            return false;
        bag->postings[bag->n++].weight = 1;
    }
    tidy(lexicon, bag);
    return true;
}

static bool read_row(struct lexicon *lexicon, const json_t *inputs,
                     struct weighted_words *bag)
{
    struct buf raw = BUF_INIT(ROW_BYTES);
    struct buf folded = BUF_INIT(ROW_BYTES);
    const char *key;
    json_t *value;
    bool ok;

    json_object_foreach((json_t *)inputs, key, value) {
        value_put(value, &raw);
        buf_putc(&raw, ' ');
    }
    if (raw.len > 0)
        fold_put(&folded, raw.data, raw.len);
    ok = !raw.no_memory && !folded.no_memory && read_bag(lexicon, &folded, bag);
    buf_release(&raw);
    buf_release(&folded);
    return ok;
}

static void weigh(struct lexicon *lexicon)
{
    double n = (double)lexicon->n;

    for (size_t i = 0; i < lexicon->n_words; i++)
        lexicon->words[i].weight =
            log((n + 1) / ((double)lexicon->words[i].rows + 0.5));
    for (size_t i = 0; i < lexicon->n; i++) {
        struct weighted_words *bag = &lexicon->bags[i];
        double sum = 0;

        for (size_t k = 0; k < bag->n; k++) {
            bag->postings[k].weight =
                lexicon->words[bag->postings[k].word].weight;
            sum += bag->postings[k].weight * bag->postings[k].weight;
        }
        for (size_t k = 0; sum > 0 && k < bag->n; k++)
            bag->postings[k].weight /= sqrt(sum);
    }
}

struct lexicon *lexicon_new(const struct dataset *dataset, struct row_span rows,
                            struct err *err)
{
    struct lexicon *lexicon = calloc(1, sizeof *lexicon);
    bool ok = lexicon != NULL;

    if (ok) {
        lexicon->n = rows.n;
        lexicon->bags = calloc(rows.n + 1, sizeof *lexicon->bags);
        ok = lexicon->bags != NULL;
    }
    for (size_t i = 0; ok && i < rows.n; i++) {
        json_t *inputs = dataset_inputs(dataset, rows.rows[i]);

        ok = inputs != NULL && read_row(lexicon, inputs, &lexicon->bags[i]);
        json_decref(inputs);
    }
    if (ok) {
        weigh(lexicon);
        return lexicon;
    }
    lexicon_free(lexicon);
    err_nomem(err, "the words of the examples");
    return NULL;
}

double lexicon_alike(const struct lexicon *lexicon, size_t a, size_t b)
{
    const struct weighted_words *x = &lexicon->bags[a];
    const struct weighted_words *y = &lexicon->bags[b];
    double sum = 0;

    for (size_t i = 0, k = 0; i < x->n && k < y->n;) {
        if (x->postings[i].word == y->postings[k].word)
            sum += x->postings[i++].weight * y->postings[k++].weight;
        else if (x->postings[i].word < y->postings[k].word)
            i++;
        else
            k++;
    }
    return sum;
}

// --- what is typical

// How many rows with a word are in the group, and how many are outside.
struct split_count {
    size_t in, out;
};

static void count_words(const struct lexicon *lexicon, const int *groups,
                        int of, int against, struct split_count *counts,
                        struct split_count *rows)
{
    for (size_t i = 0; i < lexicon->n; i++) {
        const struct weighted_words *bag = &lexicon->bags[i];
        bool in = groups[i] == of;
        bool out = !in && (against < 0 || groups[i] == against);

        rows->in += in;
        rows->out += out;
        for (size_t k = 0; k < bag->n; k++) {
            counts[bag->postings[k].word].in += in;
            counts[bag->postings[k].word].out += out;
        }
    }
}

// Returns how strongly a word speaks for the group: the log of how much more
// often its rows have it, times how often that is. A word that only one row out
// of several has may describe that row and not the group, so it ranks low.
// Words of one or two bytes seldom say much; of two words that say as much, the
// longer one wins.
static double telling(const struct split_count *count,
                      const struct split_count *rows, const char *word)
{
    double in = ((double)count->in + 0.3) / ((double)rows->in + 0.6);
    double out = ((double)count->out + 0.3) / ((double)rows->out + 0.6);

    if (count->in == 0 || in <= out || strlen(word) < 3)
        return 0;
    if (count->in == 1 && rows->in >= SEVERAL)
        in *= ONCE;
    return in * log(in / out) * (1 + 0.01 * (double)strlen(word));
}

size_t lexicon_typical(const struct lexicon *lexicon, const int *groups, int of,
                       int against, size_t most, struct buf *out)
{
    struct split_count *counts = calloc(lexicon->n_words + 1, sizeof *counts);
    struct split_count rows = {0, 0};
    size_t n = 0;

    if (counts == NULL) {
        out->failed = out->no_memory = true;
        return 0;
    }
    count_words(lexicon, groups, of, against, counts, &rows);
    for (; n < most; n++) {
        size_t best = lexicon->n_words;
        double top = 0;

        for (size_t i = 0; i < lexicon->n_words; i++) {
            double value = telling(&counts[i], &rows, lexicon->words[i].text);
            if (value > top) {
                top = value;
                best = i;
            }
        }
        if (best == lexicon->n_words)
            break;
        buf_puts(out, n > 0 ? ", " : "");
        buf_puts(out, lexicon->words[best].text);
        counts[best].in = 0;
    }
    free(counts);
    return n;
}

size_t lexicon_middle(const struct lexicon *lexicon, const int *groups, int of)
{
    size_t best = lexicon->n;
    double top = -1;

    for (size_t i = 0; i < lexicon->n; i++) {
        double sum = 0;

        for (size_t k = 0; groups[i] == of && k < lexicon->n; k++)
            if (k != i && groups[k] == of)
                sum += lexicon_alike(lexicon, i, k);
        if (groups[i] == of && sum > top) {
            top = sum;
            best = i;
        }
    }
    return best;
}

// --- the rows that a text speaks about

static void mark_word(const struct lexicon *lexicon, size_t word, bool *marks)
{
    for (size_t i = 0; i < lexicon->n; i++)
        for (size_t k = 0; k < lexicon->bags[i].n; k++)
            marks[i] |= lexicon->bags[i].postings[k].word == word;
}

bool lexicon_mark(const struct lexicon *lexicon, const char *text, size_t most,
                  bool *marks)
{
    struct buf folded = BUF_INIT(ROW_BYTES);
    struct word word;
    bool ok;

    fold_put(&folded, text, strlen(text));
    struct words words = {.text = folded.data, .len = folded.len};
    while (lexicon->n_slots > 0 && next_word(&words, &word)) {
        size_t slot = find_slot(lexicon, word.text, word.len);

        if (lexicon->slots[slot] != 0 &&
            lexicon->words[lexicon->slots[slot] - 1].rows <= most)
            mark_word(lexicon, lexicon->slots[slot] - 1, marks);
    }
    ok = !folded.no_memory;
    buf_release(&folded);
    return ok;
}
