// forms: a compiled program written in other forms, for other programs and for
// people (`export --format`).

#ifndef CLI_FORMS_H
#define CLI_FORMS_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/run/compiled.h"

// The names as an option has them: "messages|modelfile|dspy|markdown".
#define FORM_WORDS "messages|modelfile|dspy|markdown"

// text: the compiled file that compiled was read from. step: NULL for all of
// them; a Modelfile holds one. ERR_INPUT: no such step; several of them in a
// Modelfile, or a text that it cannot hold.
bool form_write(const char *form, const struct compiled *compiled,
                const struct buf *text, const char *step, struct buf *out,
                struct err *err);

#endif
