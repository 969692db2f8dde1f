// search_index: finds documents by the words of a query.
//
// It uses SQLite's FTS5 in memory, ranked by its bm25(): Okapi BM25 with k1 =
// 1.2 and b = 0.75 (Robertson and Zaragoza, The Probabilistic Relevance
// Framework, 2009). A document matches if a searched field contains any term of
// the query: a word, or two neighboring characters of a script that does not
// separate words (common/words.h). Comparison ignores case and diacritics;
// there is no stemming, in any language. Equal documents and equal queries give
// equal answers: among equal ranks, the earlier document comes first.
//
// One owner at a time.

#ifndef RETRIEVE_SEARCH_INDEX_H
#define RETRIEVE_SEARCH_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"

struct search_index;

enum { SEARCH_MAX_TERMS = 200 }; // more terms of a query are ignored

// Creates an index. documents are objects of texts (program/job/documents.h); a
// reference is taken.
struct search_index *search_index_new(json_t *documents, struct err *err);
void search_index_free(struct search_index *index); // accepts NULL

// Returns at most k passages, the best for a query, as a list of texts (new
// reference); the list is empty if nothing matches. `fields` is a name or a
// list of names to search; NULL or JSON null means all. A passage is all texts
// of its document, one per line.
json_t *search_index_find(struct search_index *index, const char *query,
                          const json_t *fields, int64_t k, struct err *err);

// Like search_index_find, but stores the numbers of the documents, from 0, in
// out: at most k, the best first. *n is how many there are.
bool search_index_rank(struct search_index *index, const char *query,
                       const json_t *fields, size_t k, size_t *out, size_t *n,
                       struct err *err);

// Returns the documents themselves. Borrowed.
const json_t *search_index_documents(const struct search_index *index);

// Returns the passages of those n documents, in that order (new reference).
json_t *search_index_passages(const struct search_index *index,
                              const size_t *found, size_t n, struct err *err);

#endif
