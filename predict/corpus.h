// corpus: what a compiled program searches by embeddings: documents, and the
// demos of pools that are picked by embeddings.
//
// The compiled file does not contain embeddings (docs/decisions/0011), so the
// model server makes them when the program is loaded: one call per text, as
// many at a time as there are slots, before the first query is compared with
// them.
//
//   WANTED --corpus_send--> one call after the other --corpus_take--> READY
//     ^                          |
//     '-- corpus_want ------- FAILED: a text could not be embedded in several
//                             tries; the embeddings made so far are kept
//
// A corpus belongs to a run_pool, which sends its calls and passes it the
// results.

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
    const struct compiled *compiled;   // borrowed, like everything here
    const struct retrieval *retrieval; // its documents
    struct model_client *client;
    int slots;
    int64_t timeout_ms; // for each call
    int64_t first_id;   // its calls have ids from here on
};

// Opens the corpus; *out stays NULL for a program that does not search by
// embeddings.
bool corpus_open(const struct corpus_options *options, struct corpus **out,
                 struct err *err);
void corpus_close(struct corpus *corpus); // drops its calls; accepts NULL

enum corpus_state { CORPUS_WANTED, CORPUS_READY, CORPUS_FAILED };

// Returns the state; a NULL corpus is READY.
enum corpus_state corpus_state(const struct corpus *corpus);

// Returns why it FAILED: ERR_FAULT, or ERR_INPUT if trying again is pointless.
const struct err *corpus_failure(const struct corpus *corpus);

// Tries again if the corpus FAILED.
void corpus_want(struct corpus *corpus);

// Sends the calls that may be sent now; *due_ms is lowered to when more may be
// sent. Returns false when out of memory.
bool corpus_send(struct corpus *corpus, int64_t now, int64_t *due_ms,
                 struct err *err);

// Takes an answer or fault and returns true, if it was for this corpus.
bool corpus_take(struct corpus *corpus, const struct model_done *done);

// Returns the embeddings of all its texts, once it is READY. Borrowed.
const struct vectors *corpus_vectors(const struct corpus *corpus);

// Asks for an embedding; payload is that of the ask (program/graph/ask.h).
bool corpus_begin(const struct corpus *corpus, int64_t id, const char *payload,
                  size_t len, struct err *err);

#endif
