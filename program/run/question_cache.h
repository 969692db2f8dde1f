// question_cache: the questions of the rows that were asked about last.
//
// All trials of a search ask about the same few hundred rows, and what a step
// is asked about a row does not depend on the candidate: its instruction and
// its demos stand before it. So the words are put together once and shared by
// all calls that end in them, and the store is told once where it keeps them.
//
// Only steps that get nothing but inputs of the program have their questions
// here (stepper.c): of any other step they depend on answers. A row and step
// have one place and take it from whoever had it before, so memory is bounded,
// and long questions are not kept. Not thread-safe.

#ifndef PROGRAM_RUN_QUESTION_CACHE_H
#define PROGRAM_RUN_QUESTION_CACHE_H

#include <stddef.h>
#include <stdint.h>

enum {
    QUESTION_CACHE_PLACES = 1024,
    QUESTION_CACHE_BYTES = 4096, // of a question: longer ones are not kept
};

struct kept_question {
    int references;
    int64_t stored; // the id under which a store has the text; 0: unknown
    size_t len;
    char text[]; // NUL-terminated
};

// Gives back one reference; NULL is fine.
void kept_question_unref(struct kept_question *question);
struct kept_question *kept_question_ref(struct kept_question *question);

struct question_cache;

struct question_cache *question_cache_new(void);        // NULL without memory
void question_cache_free(struct question_cache *cache); // NULL is fine

// Borrowed until the next call; NULL when it is not there.
struct kept_question *question_cache_find(const struct question_cache *cache,
                                          size_t row, int step);

// Keeps a copy of text and returns it, borrowed. NULL when it is too long or
// there is no memory: the caller then uses its own text.
struct kept_question *question_cache_keep(struct question_cache *cache,
                                          size_t row, int step,
                                          const char *text, size_t len);

#endif
