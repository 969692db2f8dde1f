// compiled_text: the compiled file that a word of the command line stands for:
// a file (its name ends in .json), or a job, whose file the history keeps.

#ifndef CLI_COMPILED_TEXT_H
#define CLI_COMPILED_TEXT_H

#include <stdbool.h>

#include "cli/options.h"
#include "common/buf.h"
#include "common/err.h"

// Whether the word names a file. NULL does not.
bool compiled_text_is_file(const char *name);

// Appends its text. name is NULL for the newest job with results. ERR_INPUT:
// there is no such file or job, or the job has no compiled file yet.
bool compiled_text_read(const struct options *options, const char *name,
                        struct buf *out, struct err *err);

#endif
