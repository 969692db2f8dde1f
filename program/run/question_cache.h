// question_cache: keeps the questions of the most recently used rows.
//
// All trials of a search ask about the same few hundred rows. What a step is
// asked about a row does not depend on the candidate, because its instruction
// and demos come before the question. So the text is built once and shared by
// all calls that end in it, and the store learns only once where it keeps the
// text.
//
// Only steps whose inputs are all inputs of the program are cached (stepper.c);
// for any other step, the question depends on answers. Each row and step maps
// to one place and evicts its previous owner, so memory is bounded, and long
// questions are not kept. Not thread-safe.

#ifndef PROGRAM_RUN_QUESTION_CACHE_H
#define PROGRAM_RUN_QUESTION_CACHE_H

#include <stddef.h>
#include <stdint.h>

enum {
    QUESTION_CACHE_PLACES = 1024,
    QUESTION_CACHE_BYTES = 4096, // longer questions are not kept
};

struct kept_question {
    int references;
    int64_t stored; // the text's id in the store; 0 if unknown
    size_t len;
    char text[]; // NUL-terminated
};

// Drops one reference; accepts NULL.
void kept_question_unref(struct kept_question *question);
struct kept_question *kept_question_ref(struct kept_question *question);

struct question_cache;

struct question_cache *question_cache_new(void); // NULL when out of memory
void question_cache_free(struct question_cache *cache); // accepts NULL

// Returns a kept question, borrowed until the next call; NULL if it is not
// kept.
struct kept_question *question_cache_find(const struct question_cache *cache,
                                          size_t row, int step);

// Keeps a copy of text and returns it, borrowed. Returns NULL if the text is
// too long or memory has run out; the caller then uses its own text.
struct kept_question *question_cache_keep(struct question_cache *cache,
                                          size_t row, int step,
                                          const char *text, size_t len);

#endif
