// forms: writes a compiled program in other forms, for other programs and for
// people (`export --format`).

#ifndef CLI_FORMS_H
#define CLI_FORMS_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/run/compiled.h"

// The names, as the option takes them.
#define FORM_WORDS "messages|modelfile|dspy|markdown"

// Writes `compiled` in the named form. `text` is the compiled file that it was
// read from. `step` is NULL for all steps; a Modelfile holds only one.
// ERR_INPUT: no such step; several steps in a Modelfile, or a text that a
// Modelfile cannot hold.
bool form_write(const char *form, const struct compiled *compiled,
                const struct buf *text, const char *step, struct buf *out,
                struct err *err);

#endif
