// documents: the embeddings that a search compares its queries with.
//
// A program may search the job's documents, and a prompt may show the demos
// that are nearest to its question. If nearness is measured by embeddings, the
// texts must be embedded before the first question.

#ifndef SEARCH_DOCUMENTS_H
#define SEARCH_DOCUMENTS_H

#include <stdbool.h>

#include "common/err.h"
#include "search/session/session.h"

// Has the texts of the job embedded: its documents, and the demos of pools.
// Does nothing if the job searches by words. Embeddings are paid for like all
// other calls and found in the store the next time. Blocks, on the job's own
// thread. Returns false if the job cannot continue (ERR_BUDGET included).
bool documents_embed(struct session *session, struct err *err);

#endif
