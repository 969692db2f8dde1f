// ask: something that has to be answered from outside.
//
// A step or a metric that cannot go on by itself makes an ask: who is to
// answer, and the words. It does not know how: a job that runs on a cluster
// takes every ask through coordinator/answerers/, where it is stored, joined
// with an equal one in flight, replayed and billed in the same way for every
// answerer; `predict` asks at once.
//
//   step `classify`   --> {ANSWERER_MODEL, ",{"role":"user",...}]"}
//   metric `exec`     --> {ANSWERER_EXEC, "{"example":...,"outputs":...}"}
//
// A new answerer is a file in coordinator/answerers/ and a line in
// answerers.def.

#ifndef PROGRAM_GRAPH_ASK_H
#define PROGRAM_GRAPH_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "program/graph/adapter.h"
#include "program/graph/user_command.h"

// ANSWERER_MODEL  payload: the last turns of a chat, behind a prefix
// ANSWERER_EXEC   payload: a line of JSON for a program of the user
// ANSWERER_RETRIEVE  payload: a query, how many passages, and which fields
// ANSWERER_EMBED     payload: a text, as JSON behind ASK_EMBED_PREFIX
enum answerer_id {
#define ANSWERER(id, name) id,
#include "program/graph/answerers.def"
#undef ANSWERER
    ANSWERER_COUNT
};

struct kept_question; // program/run/question_cache.h

struct ask {
    enum answerer_id answerer;
    int part;          // of the asker: which step, or which part of the metric
    int attempt;       // 0 the question, 1 the repair
    enum adapter form; // a model's: of the answer, what prompt_format is given
    const char *payload;
    size_t payload_len;
    struct kept_question *kept; // whose text the payload is; NULL: nobody's
    const struct user_command *command; // ANSWERER_EXEC: of the job; else NULL
};

// A request for an embedding is a list of one text; all have this beginning.
#define ASK_EMBED_PREFIX "["

// Appends the payload that asks for the embedding of a text.
void ask_put_embedding(const char *text, size_t len, struct buf *payload);

// Whether the text has a word: one without is near to nothing, and models
// refuse it. False when the buffer failed.
bool ask_can_embed(const struct buf *text);

#endif
