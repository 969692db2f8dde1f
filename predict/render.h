// render: the exact messages that a step of a compiled program sends.
//
// Byte by byte what the model's server gets, as one JSON array of
// {"role", "content"} objects, for `promptcc render`, the C library, and
// whoever wants to compare what was measured with what runs.

#ifndef PREDICT_RENDER_H
#define PREDICT_RENDER_H

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/run/compiled.h"

// The step of that name that asks a model. ERR_INPUT names the nearest right
// one, or all of them.
const struct step *render_find_step(const struct compiled *compiled,
                                    const char *name, struct err *err);

// Appends the messages. values: the step's inputs by name, or NULL for what is
// the same for all questions (system message and demos). Defaults are filled;
// ERR_INPUT for an input that is missing, unknown, or not of its type.
bool render_step(const struct compiled *compiled, const struct step *step,
                 const json_t *values, struct buf *out, struct err *err);

#endif
