// search_index: documents, found by the words of a query.
//
// SQLite's FTS5 in memory, ranked by its bm25(): Okapi BM25 with k1 = 1.2 and
// b = 0.75 (Robertson and Zaragoza, The Probabilistic Relevance Framework,
// 2009). A document matches when it holds any term of the query in a field that
// is searched: a word, or two neighbouring characters of a script that puts no
// blanks between words (common/words.h). Words are compared without case and
// diacritics, and as they are: no stemming, for no language. Equal documents,
// and equal queries, give equal answers: of equal ranks the earlier document
// comes first.
//
// One owner at a time.

#ifndef RETRIEVE_SEARCH_INDEX_H
#define RETRIEVE_SEARCH_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"

struct search_index;

enum { SEARCH_MAX_TERMS = 200 }; // of a query that are searched for

// documents: objects of texts (program/job/documents.h); a reference is taken.
struct search_index *search_index_new(json_t *documents, struct err *err);
void search_index_free(struct search_index *index); // NULL is fine

// The best k passages for a query, at most: a list of texts (new reference),
// empty when nothing matches. fields: a name or a list of names; NULL or JSON
// null: all. A passage is all texts of its document, one a line.
json_t *search_index_find(struct search_index *index, const char *query,
                          const json_t *fields, int64_t k, struct err *err);

// The same as numbers of documents, from 0: at most k, the best first, into
// out. *n says how many.
bool search_index_rank(struct search_index *index, const char *query,
                       const json_t *fields, size_t k, size_t *out, size_t *n,
                       struct err *err);

// The documents themselves. Borrowed.
const json_t *search_index_documents(const struct search_index *index);

// The passages of those n documents, in that order (new reference).
json_t *search_index_passages(const struct search_index *index,
                              const size_t *found, size_t n, struct err *err);

#endif
