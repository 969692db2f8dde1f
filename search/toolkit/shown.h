// shown: steps, values and examples as a teacher is shown them.
//
// The form is plain lines, "name: value", with long values cut. All functions
// append; a buffer that is too small or out of memory records that itself
// (common/buf.h).

#ifndef SEARCH_TOOLKIT_SHOWN_H
#define SEARCH_TOOLKIT_SHOWN_H

#include <stddef.h>

#include <jansson.h>

#include "common/buf.h"
#include "program/graph/program.h"

enum {
    SHOWN_MAX_BYTES = 1 << 20,
    SHOWN_VALUE_BYTES = 600, // of a value, if there is room
};

// Shows a step: its name, and its fields with their types and descriptions.
void shown_step(struct buf *out, const struct step *step);

// Shows a program, a section for each step: what it tells the model, what it
// reads from where, and what it gives. This is shorter than the job file's
// JSON, and has no keys that a small teacher could mistake for data.
void shown_program(struct buf *out, const struct program *program);

// Shows an object, one line per member: "intent: refund_request", with at most
// max bytes of each value.
void shown_fields(struct buf *out, const json_t *fields, size_t max);

// Shows at most max bytes of text, followed by three dots if more would come.
void shown_text(struct buf *out, const char *text, size_t max);

#endif
