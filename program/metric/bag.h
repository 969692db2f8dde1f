// bag: multisets of texts, for the F1 metrics.
//
// Texts are added in any order and case-folded; call bag_sort before comparing.

#ifndef PROGRAM_METRIC_BAG_H
#define PROGRAM_METRIC_BAG_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"

enum { BAG_MAX_BYTES = 16 << 20 };

struct bag {
    struct buf text;    // the items, each followed by a NUL
    const char **items; // pointers into text once sorted; owned
    size_t n;
};

#define BAG_INIT ((struct bag){.text = BUF_INIT(BAG_MAX_BYTES)})

void bag_release(struct bag *bag);

// Adds the words of text, which are separated by white space: folded, without
// the articles a, an and the, and without punctuation, except in numbers: -5,
// 1.5, 7:30. In scripts without spaces each character is a word
// (common/words.h).
void bag_add_words(struct bag *bag, const char *text, size_t len);

// Adds an item, trimmed and folded.
void bag_add_item(struct bag *bag, const char *text, size_t len);

// Sort the items; bag_sort_unique also drops repeated ones. Add nothing after
// this.
bool bag_sort(struct bag *bag, struct err *err);
bool bag_sort_unique(struct bag *bag, struct err *err);

// Returns 2 * shared / total for two sorted bags. Two empty bags agree: 1.
double bag_f1(const struct bag *a, const struct bag *b);

#endif
