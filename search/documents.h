// documents: the embeddings that a search compares its queries with.

#ifndef SEARCH_DOCUMENTS_H
#define SEARCH_DOCUMENTS_H

#include <stdbool.h>

#include "common/err.h"
#include "search/session/session.h"

// Has the texts of the job embedded: its documents, and the demos of pools.
// Nothing is done where it searches by words. They are paid for like all else,
// and found in the store the next time.
bool documents_embed(struct session *session, struct err *err);

#endif
