// render: the exact messages that a step of a compiled program sends.
//
// They are byte for byte what the model's server gets, as a JSON array of
// {"role", "content"} objects: for `promptcc render`, for the C library, and
// for anyone who wants to compare what was measured with what runs.

#ifndef PREDICT_RENDER_H
#define PREDICT_RENDER_H

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/run/compiled.h"

// Returns the step of that name, which must ask a model. ERR_INPUT suggests the
// nearest valid name, or lists all of them.
const struct step *render_find_step(const struct compiled *compiled,
                                    const char *name, struct err *err);

// Appends the messages. values are the step's inputs by name, or NULL for the
// part that all questions share (system message and demos). Defaults are filled
// in. ERR_INPUT: an input is missing, unknown, or of the wrong type.
bool render_step(const struct compiled *compiled, const struct step *step,
                 const json_t *values, struct buf *out, struct err *err);

#endif
