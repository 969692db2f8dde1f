// retrieval: answers the searches of a program's retrieve steps.
//
// It has an index of each step's documents (search_index.h) and turns a
// payload, {"k", "fields", "query"}, into {"passages": [...]}. A search takes
// no call and hardly any time, and the same documents give the same answer. So
// answers are not stored: anyone with the documents can find them again. Recent
// answers are kept in memory, because an optimizer asks the same questions over
// and over, followed by different prompts.
//
// A step that searches by embeddings asks a model for the embedding of its
// query, and retrieval_answer_by_embedding turns the answer into passages. It
// needs the embeddings of the documents: whoever runs the program asks for them
// first (retrieval_texts) and puts them into its vectors. Every query is
// compared with all documents, which takes 1 ms for 10,000 of them with 384
// numbers each. An approximate index would be faster beyond some 100,000
// documents, but it does not always find the same ones.
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
// retrieve steps. ERR_INPUT if the documents do not exist or cannot be read as
// such.
bool retrieval_open(const struct program *program, struct bundle *bundle,
                    struct retrieval **out, struct err *err);

// Like retrieval_open, for a program whose documents are in folder. If the
// program has retrieve steps and folder is NULL, because it came without one,
// fails with ERR_INPUT.
bool retrieval_open_folder(const struct program *program, const char *folder,
                           struct retrieval **out, struct err *err);

void retrieval_close(struct retrieval *retrieval); // accepts NULL

// Answers the search of that step.
bool retrieval_answer(struct retrieval *retrieval, int step,
                      const char *payload, size_t len, struct buf *out,
                      struct err *err);

// Returns true if the step made queries and none of them has found a passage.
// *asked is how many it made; equal queries count each time.
bool retrieval_finds_nothing(const struct retrieval *retrieval, int step,
                             size_t *asked);

// Returns the texts whose embeddings a search by embeddings needs, each once,
// in the order of steps and documents (new reference); the list is empty if
// none are needed. values: those of the candidate to be run, or NULL; tunables:
// everything that candidates may choose instead, or NULL.
json_t *retrieval_texts(const struct retrieval *retrieval,
                        const struct program *program, const json_t *values,
                        const struct tunables *tunables, struct err *err);

// A search by the embedding of a step's query.
struct retrieval_query {
    const struct program *program;
    int step;
    const json_t *values; // the candidate's, or NULL
    const char *answer;   // the model's, len bytes
    size_t len;
};

// Answers it. ERR_PROTOCOL if the answer is not an embedding, or not of the
// same size as those of the documents.
bool retrieval_answer_by_embedding(struct retrieval *retrieval,
                                   const struct vectors *vectors,
                                   const struct retrieval_query *query,
                                   struct buf *out, struct err *err);

#endif
