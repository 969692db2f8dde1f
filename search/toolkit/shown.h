// shown: steps, values and examples as a teacher is shown them.
//
// Plain lines, "name: value", with long values cut. Everything is appended; a
// buffer that could not take it says so by itself (common/buf.h).

#ifndef SEARCH_TOOLKIT_SHOWN_H
#define SEARCH_TOOLKIT_SHOWN_H

#include <stddef.h>

#include <jansson.h>

#include "common/buf.h"
#include "program/graph/program.h"

enum {
    SHOWN_MAX_BYTES = 1 << 20,
    SHOWN_VALUE_BYTES = 600, // of a value, where there is room
};

// A step: its name, and its fields with their types and descriptions.
void shown_step(struct buf *out, const struct step *step);

// A program, a section for each step: what it says to the model, what it reads
// from where, and what it gives. Shorter than the job file's JSON, and without
// keys that a small teacher takes for data.
void shown_program(struct buf *out, const struct program *program);

// An object, one line a member: "intent: refund_request"; at most max bytes of
// each value.
void shown_fields(struct buf *out, const json_t *fields, size_t max);

// At most max bytes of text, and three dots where more would come.
void shown_text(struct buf *out, const char *text, size_t max);

#endif
