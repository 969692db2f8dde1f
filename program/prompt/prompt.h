// prompt: builds the exact messages that a model gets.
//
// A prompt is one system message, the demos as user and assistant turns, then
// the question. The system message has the fields, their structure and the
// instruction. For adapter chat, the instruction comes last, followed by the
// labels once more. For adapter json, it comes first, and the structure shows
// the labels as well. Everything that is the same for every example comes first
// and is rendered once, as the `prefix`; the question is the `tail`; prefix +
// tail is one JSON array of messages (common/call.h). Adapter chat marks fields
// with lines like
//
//   [[ ## name ## ]]
//
// and adapter json asks for an object under a JSON schema instead.
//
// The wording was measured, not guessed: bench/wording tries it and
// alternatives on real models, and docs/real-model.md has the results. Changing
// a byte of it means raising REPLAY_VERSION (program/job/job.h) and measuring
// again.

#ifndef PROGRAM_PROMPT_PROMPT_H
#define PROGRAM_PROMPT_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/graph/adapter.h"
#include "program/graph/candidate.h"
#include "program/graph/program.h"

enum { PROMPT_MAX_BYTES = 4 << 20 };

// Appends "[{system}", then ",{user},{assistant}" for each demo; the array
// stays open. Demos that form a pool (candidate.h) are left out: prompt_demos
// appends the ones picked for a question after the prefix.
bool prompt_prefix(const struct step *step, const struct candidate_part *part,
                   enum adapter adapter, struct buf *out, struct err *err);

// Appends ",{user},{assistant}" for each of these demos, in order.
bool prompt_demos(const struct step *step, const struct demo *demos, size_t n,
                  enum adapter adapter, struct buf *out, struct err *err);

// Appends ",{user}]", which is the same for every adapter. `inputs` has the
// step's inputs by name.
bool prompt_question(const struct step *step, const json_t *inputs,
                     struct buf *out, struct err *err);

// Appends the question again, after a reply that could not be read. It asks for
// an object under the schema whatever the adapter is, so ask for the format of
// ADAPTER_JSON and read the answer as such. The bad reply is not shown, because
// small models copy it.
bool prompt_repair(const struct step *step, const json_t *inputs,
                   struct buf *out, struct err *err);

// Appends the JSON schema that the server is asked to enforce; nothing for
// adapter chat.
bool prompt_format(const struct step *step, enum adapter adapter,
                   struct buf *out, struct err *err);

// Estimates the tokens of a prompt of this many bytes before a server has
// counted them: one token per 3 bytes, rounded up. Text in most languages needs
// fewer. The estimate is the same on every machine, because it decides whether
// demos are dropped.
size_t prompt_estimate_tokens(size_t bytes);

#endif
