// retrieval: answers what the retrieve steps of a program ask.
//
// It holds an index of each step's documents (search_index.h) and turns a
// payload, {"k", "fields", "query"}, into {"passages": [...]}. A search takes
// no call and hardly any time, and the same documents give the same answer, so
// answers are not stored: whoever has the documents finds them again. Recent
// answers are kept in memory, since an optimizer asks the same questions again
// and again, with other prompts behind them.
//
// A step that searches by embeddings asks a model for that of its query, and
// retrieval_near makes passages of the answer. It needs those of the documents:
// whoever runs the program asks for them first (retrieval_texts), and puts them
// into its vectors. All documents are compared with each query, which takes
// 1 ms for 10,000 of 384 numbers. An index of neighbours would be faster beyond
// some 100,000 documents, but does not always find the same ones.
//
// One owner at a time.

#ifndef RETRIEVE_RETRIEVAL_H
#define RETRIEVE_RETRIEVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/graph/program.h"
#include "program/graph/tunable.h"
#include "program/job/bundle.h"
#include "retrieve/vectors.h"

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

// Whether the step was asked, and no query so far found a passage; *asked says
// how many there were. Equal queries count each time.
bool retrieval_finds_nothing(const struct retrieval *retrieval, int step,
                             size_t *asked);

// The texts whose embeddings a search by embeddings needs, each once, in the
// order of steps and documents: a list of texts (new reference), empty where
// there is none. values: those of the candidate that is to run, or NULL;
// tunables: all that candidates may choose instead, or NULL.
json_t *retrieval_texts(const struct retrieval *retrieval,
                        const struct program *program, const json_t *values,
                        const struct tunables *tunables, struct err *err);

// What a step asks by the embedding of its query.
struct retrieval_query {
    const struct program *program;
    int step;
    const json_t *values; // of the candidate; or NULL
    const char *answer;   // the model's, of len bytes
    size_t len;
};

// Answers it. ERR_PROTOCOL: the answer is no embedding, or not of the size that
// those of the documents have.
bool retrieval_near(struct retrieval *retrieval, const struct vectors *vectors,
                    const struct retrieval_query *query, struct buf *out,
                    struct err *err);

#endif
