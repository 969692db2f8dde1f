// corpus: what a compiled program searches by embeddings: documents, and the
// demos of pools that are picked by them.
//
// Their embeddings are made by the model server when the program is loaded, as
// the compiled file holds none (docs/decisions/0011): one call a text, as many
// at once as there are slots, before the first query is compared with them.
//
//   WANTED --corpus_send--> one call after the other --corpus_take--> READY
//     ^                          |
//     '-- corpus_want ------- FAILED: a text could not be embedded, in some
//                             tries; those that are there stay
//
// Belongs to a run_pool, which sends its calls and hands in what comes.

#ifndef PREDICT_CORPUS_H
#define PREDICT_CORPUS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "model/model.h"
#include "program/run/compiled.h"
#include "retrieve/retrieval.h"

struct corpus;

struct corpus_options {
    const struct compiled *compiled;   // borrowed, as all here
    const struct retrieval *retrieval; // of its documents
    struct model_client *client;
    int slots;
    int64_t timeout_ms; // of a call
    int64_t first_id;   // its calls have ids from here on
};

// *out stays NULL for a program that does not search by embeddings.
bool corpus_open(const struct corpus_options *options, struct corpus **out,
                 struct err *err);
void corpus_close(struct corpus *corpus); // drops its calls; NULL is fine

enum corpus_state { CORPUS_WANTED, CORPUS_READY, CORPUS_FAILED };

// NULL is READY.
enum corpus_state corpus_state(const struct corpus *corpus);

// Why it FAILED: ERR_FAULT, or ERR_INPUT where trying again is of no use.
const struct err *corpus_failure(const struct corpus *corpus);

// Tries again what FAILED.
void corpus_want(struct corpus *corpus);

// Sends what may be sent now; *due_ms is brought forward to when more may.
// False without memory.
bool corpus_send(struct corpus *corpus, int64_t now, int64_t *due_ms,
                 struct err *err);

// Whether that answer or fault was for it; then it was taken.
bool corpus_take(struct corpus *corpus, const struct model_done *done);

// The embeddings of all its texts, once it is READY. Borrowed.
const struct vectors *corpus_vectors(const struct corpus *corpus);

// Asks for an embedding: payload is what the ask has (program/graph/ask.h).
bool corpus_begin(const struct corpus *corpus, int64_t id, const char *payload,
                  size_t len, struct err *err);

#endif
