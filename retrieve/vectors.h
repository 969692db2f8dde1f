// vectors: the embeddings of texts, and how near two of them are.
//
// Nearness is the cosine of the angle between two embeddings. Each is scaled to
// length 1 and stored as integers, with 32767 for 1. The cosine is then a sum
// of products of integers, which is the same on every machine and in any order
// of adding; a sum of floats is not. So equal texts are equally near, and a
// search gives the same result every time. Rounding costs some 1e-5 of a
// cosine, far below what an embedding can distinguish.
//
// A store of embeddings has one owner, who fills it from a single model; an
// embedding with a different number of numbers is refused.

#ifndef RETRIEVE_VECTORS_H
#define RETRIEVE_VECTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

// A vector of length 1.
struct direction;

struct vectors;

// Creates an empty store. Returns NULL when out of memory.
struct vectors *vectors_new(struct err *err);
void vectors_free(struct vectors *vectors); // accepts NULL

// Returns how many numbers each embedding has; 0 while the store is empty.
size_t vectors_size(const struct vectors *vectors);

// Keeps a model's answer to a text (common/vector.h); the first answer to a
// text counts. ERR_PROTOCOL if the answer is not an embedding, or has another
// size; ERR_LIMIT if the store would exceed 1 GiB.
bool vectors_put(struct vectors *vectors, const char *text, size_t len,
                 const char *answer, size_t answer_len, struct err *err);

// Returns the embedding of a text; NULL if it is not in the store. Borrowed.
const struct direction *vectors_find(const struct vectors *vectors,
                                     const char *text, size_t len);

// Reads an answer without keeping it. The caller frees the direction. Errors
// are those of vectors_put.
struct direction *vectors_read(const struct vectors *vectors,
                               const char *answer, size_t answer_len,
                               struct err *err);

// Finds the at most k directions in `list` that are nearest to `to`, and stores
// their positions in out, nearest first; *found is how many. Among equally near
// ones the earlier comes first. NULL entries of the list are skipped.
bool vectors_nearest(const struct direction *to,
                     const struct direction *const *list, size_t n, size_t k,
                     size_t *out, size_t *found, struct err *err);

#endif
