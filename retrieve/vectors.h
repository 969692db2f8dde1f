// vectors: the embeddings of texts, and how near two of them are.
//
// Near is the cosine of the angle between two embeddings. Each is brought to
// length 1 and kept as whole numbers, 32767 for 1, so that the cosine is a sum
// of products of whole numbers: the same on every machine and in any order of
// adding, which a sum of floats is not. Equal texts are equally near, and what
// is found can be found again. The rounding is some 1e-5 of a cosine, far below
// what an embedding can tell.
//
// A store of them belongs to one owner, who put all in from the same model:
// what has another number of numbers is refused.

#ifndef RETRIEVE_VECTORS_H
#define RETRIEVE_VECTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

// A vector of length 1.
struct direction;

struct vectors;

struct vectors *vectors_new(struct err *err);
void vectors_free(struct vectors *vectors); // NULL is fine

// How many numbers each has; 0 while there is none.
size_t vectors_size(const struct vectors *vectors);

// Keeps what a model answered to a text (common/vector.h); a second time it
// changes nothing. ERR_PROTOCOL: it is no embedding, or one of another size;
// ERR_LIMIT: all together are over 1 GiB.
bool vectors_put(struct vectors *vectors, const char *text, size_t len,
                 const char *answer, size_t answer_len, struct err *err);

// The embedding of a text; NULL: nobody put it in. Borrowed.
const struct direction *vectors_find(const struct vectors *vectors,
                                     const char *text, size_t len);

// Reads an answer without keeping it. The caller frees the direction; the
// errors are those of vectors_put.
struct direction *vectors_read(const struct vectors *vectors,
                               const char *answer, size_t answer_len,
                               struct err *err);

// The places in `list` of the k that are nearest to a direction, at most, the
// nearest first, into out; *found says how many. Of equally near ones the
// earlier comes first. NULL in the list is passed over.
bool vectors_nearest(const struct direction *to,
                     const struct direction *const *list, size_t n, size_t k,
                     size_t *out, size_t *found, struct err *err);

#endif
