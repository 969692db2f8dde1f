// prompt: the exact messages that a model gets.
//
// One system message, the demos as user and assistant turns, then the question.
// The system message has the fields, their structure and the instruction; in
// chat that comes last, with the labels once more, and in JSON first, where the
// labels stand beside their place as well. All that is the same for every
// example comes first and is rendered once, as `prefix`; the question is the
// `tail`; prefix + tail is one JSON array of messages (common/call.h). Fields
// are marked with [[ ## name ## ]] lines (adapter chat); adapter json asks for
// an object under a JSON schema instead.
//
// The wording is measured, not guessed: bench/wording asks real models in it
// and in others, and docs/real-model.md has what came out. Changing a byte of
// it means raising REPLAY_VERSION (program/job/job.h) and measuring again.

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

// "[{system}", then ",{user},{assistant}" a demo; not closed. Demos that are a
// pool (candidate.h) are left out: those that a question gets come behind, by
// prompt_demos.
bool prompt_prefix(const struct step *step, const struct candidate_part *part,
                   enum adapter adapter, struct buf *out, struct err *err);

// ",{user},{assistant}" for each of these demos, in their order.
bool prompt_demos(const struct step *step, const struct demo *demos, size_t n,
                  enum adapter adapter, struct buf *out, struct err *err);

// ",{user}]", the same for every adapter. inputs: the step's inputs by name.
bool prompt_question(const struct step *step, const json_t *inputs,
                     struct buf *out, struct err *err);

// The question again, after a reply that could not be read, for an object under
// the schema whatever the adapter is: its answer is read, and its format asked
// for, as ADAPTER_JSON. The bad reply is not shown: small models copy it.
bool prompt_repair(const struct step *step, const json_t *inputs,
                   struct buf *out, struct err *err);

// The JSON schema that the server is asked to keep to; nothing is appended
// for adapter chat.
bool prompt_format(const struct step *step, enum adapter adapter,
                   struct buf *out, struct err *err);

// Estimates the tokens of a prompt of so many bytes before a server has counted
// them: one token for 3 bytes, rounded up; text in most languages needs fewer.
// The same on every machine, since it decides whether demos are dropped.
size_t prompt_estimate_tokens(size_t bytes);

#endif
