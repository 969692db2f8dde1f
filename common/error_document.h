// error_document: an error as JSON.
//
// `{"error": {"code", "text", "place"}}` is what `--json` prints for a failure
// and what a coordinator replies. `code` is the stable word for the kind of
// error, `text` the sentence for a person, and `place` the position in a file
// that it is about ("job.yaml:3:5", or null); the sentence begins with the same
// position. All code that writes an error document does so here.

#ifndef COMMON_ERROR_DOCUMENT_H
#define COMMON_ERROR_DOCUMENT_H

#include <stddef.h>

#include <jansson.h>

#include "common/err.h"

// Returns the length of the PATH:LINE or PATH:LINE:COLUMN at the beginning of
// text, or 0 if the error is not about a file.
size_t error_place(const char *text);

// Returns the inner object, or NULL when out of memory. Bytes that are not
// valid UTF-8, which a path may contain, are replaced, so that every error has
// a document.
json_t *error_json(const struct err *err);

// Return the whole document, as a new reference or as text that the caller
// frees; NULL when out of memory.
json_t *error_document_json(const struct err *err);
char *error_document(const struct err *err);

#endif
