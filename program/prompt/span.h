// span: a slice of a reply. It borrows its text and is passed by value.

#ifndef PROGRAM_PROMPT_SPAN_H
#define PROGRAM_PROMPT_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
    const char *at;
    size_t len;
};

// Removes white space, of any script, from both ends.
struct span span_trim(struct span span);

// span_from drops the first n bytes, span_to keeps only those. n <= span.len.
static inline struct span span_from(struct span span, size_t n)
{
    return (struct span){span.at + n, span.len - n};
}

static inline struct span span_to(struct span span, size_t n)
{
    return (struct span){span.at, n};
}

// Return true if both have exactly the same bytes.
bool span_is(struct span span, const char *text);
bool span_equal(struct span a, struct span b);

// Returns true if both are the same word as fold_same compares them. A span of
// 64 bytes or more is never the same.
bool span_same(struct span span, const char *word);

// Return true if the span begins, or ends, with text, ignoring ASCII case.
bool span_starts(struct span span, const char *text);
bool span_ends(struct span span, const char *text);

// Returns where text begins in span, at or after `from`, ignoring ASCII case;
// span.len if it does not occur.
size_t span_find(struct span span, size_t from, const char *text);

// Returns how many bytes at the start of span are in `set`.
size_t span_run(struct span span, const char *set);

// Returns how often c occurs.
size_t span_count(struct span span, char c);

// Removes the first line from *rest and returns it without its newline.
struct span span_line(struct span *rest);

// Returns true for a letter of ASCII, as span_char may return it.
static inline bool span_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Returns the byte at i, or '\0' past the end.
static inline char span_char(struct span span, size_t i)
{
    return i < span.len ? span.at[i] : '\0';
}

#endif
