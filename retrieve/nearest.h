// nearest: picks from a step's pool of demos those whose inputs are nearest to
// a question.
//
// Nearness is BM25's (search_index.h): the texts of a demo's inputs are a
// document, and those of the question the query (step_query). If the program's
// pools_by says embeddings, it is theirs (vectors.h): whoever runs the program
// then has the embeddings of all texts of the pool, and asks for that of the
// question.
//
// If fewer demos share a word with the question than are to be shown, the first
// others of the pool make up the number, so that every prompt of a candidate
// shows equally many. Equal ranks go by the order of the pool: the same pool
// and the same question give the same prompt everywhere.
//
// They are shown from the farthest to the nearest, which then stands next to
// the question: what comes last weighs most with many models.
//
// A question that is a row of the job's data does not get the demo that was
// made of that row: a model that is shown the right answer would only repeat
// it. That is why a pool may hold every row.
//
// Indexes are made when a pool is first asked, and kept. One owner at a time.

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

struct nearest *nearest_new(struct err *err);
void nearest_free(struct nearest *nearest); // NULL is fine

// The pool of a step, and what of it a question sees; all borrowed.
struct nearest_pool {
    const struct step *step;
    const struct candidate_part *part; // its `nearest` is not 0
    enum adapter adapter;
    int row; // of the question in the data that the demos came from, or -1
};

// Appends the demos that a question with these inputs gets, as they stand
// between prefix and question.
bool nearest_put(struct nearest *nearest, const struct nearest_pool *pool,
                 const json_t *inputs, struct buf *out, struct err *err);

// The same by embeddings. query: that of the question (of step_query), NULL
// where it has none: the first demos are shown then. vectors: of the pool's
// texts; they stay as long as `nearest` does.
bool nearest_put_near(struct nearest *nearest, const struct nearest_pool *pool,
                      const struct vectors *vectors,
                      const struct direction *query, struct buf *out,
                      struct err *err);

// By words, once, without an owner. ERR_INPUT: the program's are picked by
// embeddings, which takes a model.
bool nearest_put_once(const struct program *program,
                      const struct nearest_pool *pool, const json_t *inputs,
                      struct buf *out, struct err *err);

#endif
