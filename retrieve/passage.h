// passage: the text of a document, as a prompt shows it and as it is embedded.

#ifndef RETRIEVE_PASSAGE_H
#define RETRIEVE_PASSAGE_H

#include <jansson.h>

#include "common/buf.h"

enum { PASSAGE_MAX_BYTES = 4 << 20 };

// Appends the texts of a document (program/job/documents.h), one per line.
// `fields` is the name, or a list of names, of the texts to take; NULL or JSON
// null means all.
void passage_put(const json_t *document, const json_t *fields, struct buf *out);

#endif
