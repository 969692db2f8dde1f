// span: a slice of a reply. It borrows its text and is passed by value.

#ifndef PROGRAM_PROMPT_SPAN_H
#define PROGRAM_PROMPT_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
    const char *at;
    size_t len;
};

// Without white space of any script at its ends.
struct span span_trim(struct span span);

// span_from leaves the first n bytes out, span_to keeps them alone. n <= len.
static inline struct span span_from(struct span span, size_t n)
{
    return (struct span){span.at + n, span.len - n};
}

static inline struct span span_to(struct span span, size_t n)
{
    return (struct span){span.at, n};
}

// Whether both are the same bytes.
bool span_is(struct span span, const char *text);
bool span_equal(struct span a, struct span b);

// Whether both are the same word, as fold_same compares; for words below 64
// bytes.
bool span_same(struct span span, const char *word);

// Whether it begins, or ends, with text; ASCII letters in either case.
bool span_starts(struct span span, const char *text);
bool span_ends(struct span span, const char *text);

// Where text begins in span, at or behind from; span.len when nowhere.
size_t span_find(struct span span, size_t from, const char *text);

// How many of its first bytes are among set.
size_t span_run(struct span span, const char *set);

size_t span_count(struct span span, char c);

// Takes the first line off *rest, without its end.
struct span span_line(struct span *rest);

// The byte at i, or '\0' behind the end.
static inline char span_char(struct span span, size_t i)
{
    return i < span.len ? span.at[i] : '\0';
}

#endif
