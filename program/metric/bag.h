// bag: texts that are counted, for the F1 metrics.
//
// Texts are added folded, in any order; bag_sort comes before comparing.

#ifndef PROGRAM_METRIC_BAG_H
#define PROGRAM_METRIC_BAG_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"

enum { BAG_MAX_BYTES = 16 << 20 };

struct bag {
    struct buf text;    // the items, one NUL after each
    const char **items; // into text, once sorted; owned
    size_t n;
};

#define BAG_INIT ((struct bag){.text = BUF_INIT(BAG_MAX_BYTES)})

void bag_release(struct bag *bag);

// Adds the words of text, which is what stands between spaces: folded, without
// the articles a, an and the, and without punctuation but that of numbers: -5,
// 1.5, 7:30. A character of a script without spaces is a word (common/words.h).
void bag_add_words(struct bag *bag, const char *text, size_t len);

// Adds an item, trimmed and folded.
void bag_add_item(struct bag *bag, const char *text, size_t len);

// Sorts, and drops repeated items when unique. Nothing is added after it.
bool bag_sort(struct bag *bag, bool unique, struct err *err);

// 2 x shared / all, over sorted bags; two empty ones agree entirely.
double bag_f1(const struct bag *a, const struct bag *b);

#endif
