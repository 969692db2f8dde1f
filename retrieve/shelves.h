// shelves: the embeddings of documents, in the order of the documents.
//
// A shelf belongs to some documents and to those of their fields whose text was
// embedded. It is made for the first query; by then the embeddings of all
// documents are known.

#ifndef RETRIEVE_SHELVES_H
#define RETRIEVE_SHELVES_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"
#include "common/map.h"
#include "retrieve/vectors.h"

struct shelf {
    size_t n;
    const struct direction *of[]; // NULL: a document without a text
};

// Zeroed means none.
struct shelves {
    struct map by_key; // owns its values
};

// Puts the text of a document that is embedded into out; returns false if it
// has none.
bool shelf_put_text(const json_t *document, const json_t *fields,
                    struct buf *out);

// Returns what tells shelves apart: the name of the documents, and the fields.
struct hash shelf_key(const char *documents, const json_t *fields);

// Returns the shelf of that key, made from the documents and these vectors if
// it is new. Borrowed; the vectors must outlive it. Returns NULL when out of
// memory. ERR_INPUT: a text was not embedded.
const struct shelf *shelves_get(struct shelves *shelves, const struct hash *key,
                                const json_t *documents, const json_t *fields,
                                const struct vectors *vectors, struct err *err);
void shelves_release(struct shelves *shelves);

#endif
