// ask: a question that must be answered from outside the program.
//
// A step or a metric that cannot continue on its own makes an ask, which says
// who must answer and contains the text of the question. It does not know how
// the answer is obtained. A job on a cluster takes every ask through
// coordinator/answerers/, where it is stored, joined with an equal one in
// flight, replayed and billed in the same way for every answerer; `predict`
// asks directly.
//
//   step `classify`   --> {ANSWERER_MODEL, ",{"role":"user",...}]"}
//   metric `exec`     --> {ANSWERER_EXEC, "{"example":...,"outputs":...}"}
//
// To add an answerer, add a file to coordinator/answerers/ and a line to
// answerers.def.

#ifndef PROGRAM_GRAPH_ASK_H
#define PROGRAM_GRAPH_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "program/graph/adapter.h"
#include "program/graph/user_command.h"

// ANSWERER_MODEL     payload: the last turns of a chat, after a shared prefix
// ANSWERER_EXEC      payload: a line of JSON for a user's program
// ANSWERER_RETRIEVE  payload: a query, how many passages, and which fields
// ANSWERER_EMBED     payload: a text, as JSON after ASK_EMBED_PREFIX
enum answerer_id {
#define ANSWERER(id, name) id,
#include "program/graph/answerers.def"
#undef ANSWERER
    ANSWERER_COUNT
};

struct kept_question; // program/run/question_cache.h

struct ask {
    enum answerer_id answerer;
    int part;          // the step, or the part of the metric, that asks
    int attempt;       // 0: the question; 1: the repair call
    enum adapter form; // ANSWERER_MODEL: form of the answer, for prompt_format
    const char *payload;
    size_t payload_len;
    struct kept_question *kept; // owns the payload's text; NULL: none does
    const struct user_command *command; // ANSWERER_EXEC: the job's; else NULL
};

// A request for an embedding is a list of one text; every such payload begins
// with this.
#define ASK_EMBED_PREFIX "["

// Appends the payload that asks for the embedding of a text.
void ask_put_embedding(const char *text, size_t len, struct buf *payload);

// Returns true if the text contains a word. A text without one is near to
// nothing, and models refuse it. Returns false if the buffer has failed.
bool ask_can_embed(const struct buf *text);

#endif
