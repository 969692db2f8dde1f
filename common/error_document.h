// error_document: an error as JSON.
//
// `{"error": {"code", "text", "place"}}` is what `--json` prints for a failure
// and what a coordinator answers. `code` is the stable word of the error's
// kind, `text` the sentence for a person, and `place` the file that it is about
// ("job.yaml:3:5", or null), which is also how the sentence begins. Everybody
// who writes one writes it here.

#ifndef COMMON_ERROR_DOCUMENT_H
#define COMMON_ERROR_DOCUMENT_H

#include <stddef.h>

#include <jansson.h>

#include "common/err.h"

// The length of the PATH:LINE or PATH:LINE:COLUMN that text begins with; 0
// when it is about no file.
size_t error_place(const char *text);

// The inner object. Bytes that are no UTF-8, which a path may have, are
// replaced, so that every error has a document. NULL without memory.
json_t *error_json(const struct err *err);

// The whole document as a text, which the caller frees. NULL without memory.
char *error_document(const struct err *err);

#endif
