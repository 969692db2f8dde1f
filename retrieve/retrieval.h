// retrieval: answers what the retrieve steps of a program ask.
//
// It holds an index of each step's documents (search_index.h) and turns a
// payload, {"k", "fields", "query"}, into {"passages": [...]}. To search takes
// no call and no time to speak of, and the same documents give the same answer,
// so nothing of it is stored: whoever has the documents finds it again. What
// was found lately is kept in memory, since a search asks the same questions
// again and again, with other prompts behind them.
//
// One owner at a time.

#ifndef RETRIEVE_RETRIEVAL_H
#define RETRIEVE_RETRIEVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/graph/program.h"
#include "program/job/bundle.h"

struct retrieval;

// Reads and indexes the documents. *out stays NULL for a program without
// retrieve steps. ERR_INPUT: they are not there, or no documents.
bool retrieval_open(const struct program *program, struct bundle *bundle,
                    struct retrieval **out, struct err *err);

// The same for a program whose documents lie in folder; NULL: it came without
// one, which is ERR_INPUT where it has retrieve steps.
bool retrieval_open_folder(const struct program *program, const char *folder,
                           struct retrieval **out, struct err *err);

void retrieval_close(struct retrieval *retrieval); // NULL is fine

// Answers what that step asks.
bool retrieval_answer(struct retrieval *retrieval, int step,
                      const char *payload, size_t len, struct buf *out,
                      struct err *err);

#endif
