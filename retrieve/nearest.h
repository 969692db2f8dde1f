// nearest: picks the demos of a step's pool whose inputs are nearest to a
// question.
//
// Nearness is that of BM25 (search_index.h): the texts of a demo's inputs are a
// document, and those of the question are the query (step_query). If the
// program's pools_by says embeddings, nearness is that of vectors.h. Whoever
// runs the program then has the embeddings of all texts of the pool, and asks
// for that of the question.
//
// If fewer demos share a word with the question than should be shown, the first
// of the remaining demos fill up the number, so that every prompt of a
// candidate shows equally many. Equal ranks keep the order of the pool: the
// same pool and question give the same prompt everywhere.
//
// Demos are shown from the farthest to the nearest, so that the nearest is
// right before the question: with many models, what comes last counts most.
//
// A question that is a row of the job's data never gets the demo made from that
// row, because a model that is shown the right answer would only repeat it.
// That is why a pool may contain every row.
//
// Indexes are built when a pool is first used, and kept. One owner at a time.

#ifndef RETRIEVE_NEAREST_H
#define RETRIEVE_NEAREST_H

#include <stdbool.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/graph/adapter.h"
#include "program/graph/candidate.h"
#include "program/graph/program.h"
#include "retrieve/vectors.h"

struct nearest;

// Creates one that knows no pool yet. Returns NULL when out of memory.
struct nearest *nearest_new(struct err *err);
void nearest_free(struct nearest *nearest); // accepts NULL

// The pool of a step, and what decides which of it a question sees. Borrowed.
struct nearest_pool {
    const struct step *step;
    const struct candidate_part *part; // its `nearest` is not 0
    enum adapter adapter;
    int row; // the question's row in the data that the demos came from; -1 if
             // none
};

// Appends the demos for a question with these inputs, in the form that goes
// between prefix and question.
bool nearest_put(struct nearest *nearest, const struct nearest_pool *pool,
                 const json_t *inputs, struct buf *out, struct err *err);

// Like nearest_put, but by embeddings. query is the question's (of step_query);
// if it is NULL, because the question has none, the first demos are shown.
// vectors has the pool's texts and must live as long as `nearest`.
bool nearest_put_by_embeddings(struct nearest *nearest,
                               const struct nearest_pool *pool,
                               const struct vectors *vectors,
                               const struct direction *query, struct buf *out,
                               struct err *err);

// Like nearest_put, for a single use. ERR_INPUT if the program picks demos by
// embeddings, because that takes a model.
bool nearest_put_once(const struct program *program,
                      const struct nearest_pool *pool, const json_t *inputs,
                      struct buf *out, struct err *err);

#endif
