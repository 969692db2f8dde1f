// documents: the embeddings that a search compares its queries with.
//
// A program may search the job's documents, and a prompt may show the demos
// that are nearest to its question. Where near is told by embeddings, these
// have to be there before the first question.

#ifndef SEARCH_DOCUMENTS_H
#define SEARCH_DOCUMENTS_H

#include <stdbool.h>

#include "common/err.h"
#include "search/session/session.h"

// Has the texts of the job embedded: its documents, and the demos of pools.
// Nothing is done where it searches by words. They are paid for like all else,
// and found in the store the next time. Waits for them, on the job's own
// thread; false when the job cannot go on (ERR_BUDGET included).
bool documents_embed(struct session *session, struct err *err);

#endif
