// compiled_text: the compiled file that a word on the command line means. The
// word is either a file (its name ends in .json, or it is a pipe) or a job,
// whose compiled file the history keeps.

#ifndef CLI_COMPILED_TEXT_H
#define CLI_COMPILED_TEXT_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/options.h"
#include "common/buf.h"
#include "common/err.h"

// Returns true if `name` is a file; false for NULL.
bool compiled_text_is_file(const char *name);

// Appends the text of the compiled file. A NULL name means the newest job with
// results. ERR_INPUT: the file or job does not exist, or the job has no
// compiled file yet.
bool compiled_text_read(const struct options *options, const char *name,
                        struct buf *out, struct err *err);

// Says why the job, which is an answer to `export`, has no compiled file.
void compiled_text_explain_none(const json_t *job, struct err *err);

#endif
